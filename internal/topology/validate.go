package topology

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kernel limits: IFNAMSIZ with its terminating NUL, IFALIASZ, ETH_MIN_MTU and
// ETH_MAX_MTU, BR_MAX_PORTS, IPV6_MIN_MTU.
const (
	maxLinkName = 15
	maxText     = 255
	minMTU      = 68
	maxMTU      = 65535
	minMTU6     = 1280
	maxPorts    = 1023
)

// MaxFields bounds how many FieldErrors of one sort an Error lists.
const MaxFields = 1000

// Validate checks everything about a Spec that can be known without a kernel,
// and reports all that is wrong at once: an Error of code invalid (conflict
// when it is only about things that exist twice), whose Fields point into the
// Spec.
func Validate(s *Spec) error {
	v := validator{spec: s, find: newLookup(s), links: make(map[linkKey]bool, len(s.Namespaces)+len(s.Bridges)+2*len(s.Veths)+1)}
	v.lab()
	v.namespaces()
	v.bridges()
	v.veths()
	v.masters()
	v.routes()
	switch {
	case len(v.invalid) > 0:
		return &Error{Code: CodeInvalid, Detail: "the request is not valid", Fields: append(v.invalid, v.conflicts...)}
	case len(v.conflicts) > 0:
		return &Error{Code: CodeConflict, Detail: "the request contradicts what exists", Fields: v.conflicts}
	}
	return nil
}

type validator struct {
	spec      *Spec
	find      *lookup // in spec
	invalid   []FieldError
	conflicts []FieldError
	links     map[linkKey]bool // that are named so far
}

func (v *validator) fail(pointer, format string, args ...any) {
	if len(v.invalid) == MaxFields {
		return
	}
	v.invalid = append(v.invalid, FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

func (v *validator) twice(pointer, format string, args ...any) {
	if len(v.conflicts) == MaxFields {
		return
	}
	v.conflicts = append(v.conflicts, FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

func (v *validator) lab() {
	if problem := textProblem(v.spec.Name); problem != "" {
		v.fail("/name", "%s", problem)
	}
}

func (v *validator) namespaces() {
	seen := make(map[string]bool, len(v.spec.Namespaces))
	for i, n := range v.spec.Namespaces {
		at := item("/namespaces", i)
		if problem := NamespaceNameProblem(n.Name); problem != "" {
			v.fail(at+"/name", "%s", problem)
		}
		if seen[n.Name] {
			v.twice(at+"/name", "there is a namespace %s already", n.Name)
		}
		seen[n.Name] = true
		v.links[linkKey{n.Name, LoopbackName}] = true
		v.addresses(at+"/loopback_addresses", n.LoopbackAddresses, 0)
	}
	v.links[linkKey{HostName, LoopbackName}] = true
}

func (v *validator) bridges() {
	for i := range v.spec.Bridges {
		b := &v.spec.Bridges[i]
		at := item("/bridges", i)
		v.link(at, b.Namespace, b.Name, b.MAC, b.Alias, b.MTU)
		v.addresses(at+"/addresses", b.Addresses, b.MTU)
		v.bridgeAttributes(at, b.BridgeAttributes)
	}
}

func (v *validator) bridgeAttributes(at string, a BridgeAttributes) {
	between := func(field string, p *int, low, high int) {
		if p != nil && (*p < low || *p > high) {
			v.fail(at+"/"+field, "must be between %d and %d", low, high)
		}
	}
	between("ageing_seconds", a.AgeingSeconds, 0, 1000000)
	between("forward_delay_seconds", a.ForwardDelaySeconds, 2, 30)
	between("hello_seconds", a.HelloSeconds, 1, 10)
	between("max_age_seconds", a.MaxAgeSeconds, 6, 40)
	between("priority", a.Priority, 0, 65535)
}

func (v *validator) veths() {
	for i := range v.spec.Veths {
		for _, e := range []struct {
			name string
			end  *End
		}{{"a", &v.spec.Veths[i].A}, {"b", &v.spec.Veths[i].B}} {
			at := item("/veths", i) + "/" + e.name
			v.link(at, e.end.Namespace, e.end.Name, e.end.MAC, e.end.Alias, e.end.MTU)
			v.addresses(at+"/addresses", e.end.Addresses, e.end.MTU)
			if p := e.end.BridgePort; p != nil {
				if p.Cost != nil && (*p.Cost < 1 || *p.Cost > 65535) {
					v.fail(at+"/bridge_port/cost", "must be between 1 and 65535")
				}
				if p.Priority != nil && (*p.Priority < 0 || *p.Priority > 63) {
					v.fail(at+"/bridge_port/priority", "must be between 0 and 63")
				}
			}
		}
	}
}

// link checks what bridges and veth ends have in common.
func (v *validator) link(at, namespace, name, mac, alias string, mtu int) {
	if !v.find.hasNamespace(namespace) {
		v.fail(at+"/namespace", "there is no namespace %q", namespace)
	}
	if problem := LinkNameProblem(name); problem != "" {
		v.fail(at+"/name", "%s", problem)
	} else if v.links[linkKey{namespace, name}] {
		if name == LoopbackName {
			v.fail(at+"/name", "lo is the name of the loopback link every namespace has")
		} else {
			v.twice(at+"/name", "there is a link %s in %s already", name, namespace)
		}
	} else {
		v.links[linkKey{namespace, name}] = true
	}
	if mac != "" {
		if problem := macProblem(mac); problem != "" {
			v.fail(at+"/mac", "%s", problem)
		}
	}
	if mtu != 0 && (mtu < minMTU || mtu > maxMTU) {
		v.fail(at+"/mtu", "must be between %d and %d bytes", minMTU, maxMTU)
	}
	if problem := textProblem(alias); problem != "" {
		v.fail(at+"/alias", "%s", problem)
	}
}

func (v *validator) addresses(at string, list []string, mtu int) {
	var seen map[netip.Prefix]bool
	if len(list) > 1 {
		seen = make(map[netip.Prefix]bool, len(list))
	}
	for i, cidr := range list {
		at := item(at, i)
		p, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil && !strings.Contains(cidr, "/"):
			v.fail(at, "needs a prefix length, as in %s/24", strings.TrimSpace(cidr))
		case err != nil:
			v.fail(at, "is no address in CIDR form, as in 10.0.0.1/24")
		case p.Addr().Is4In6():
			v.fail(at, "write an IPv4 address as such")
		case p.Addr().IsMulticast() || p.Addr().IsUnspecified():
			v.fail(at, "is no address a link can have")
		case p.Addr().Is4() && p.Bits() < 31 && p.Addr() == p.Masked().Addr():
			v.fail(at, "is the network itself, not a host in it")
		case p.Addr().Is4() && p.Bits() < 31 && isBroadcast(p):
			v.fail(at, "is the broadcast address of its network")
		case p.Addr().Is6() && mtu != 0 && mtu < minMTU6:
			v.fail(at, "IPv6 needs an MTU of at least %d", minMTU6)
		case seen[p]:
			v.twice(at, "is listed twice")
		case seen != nil:
			seen[p] = true
		}
	}
}

// masters checks what refers from one link to another: masters, port settings,
// static FDB entries.
func (v *validator) masters() {
	ports := map[linkKey]int{}
	type station struct {
		bridge linkKey
		mac    string
	}
	own := map[station]string{} // names of bridges and ports, by the MACs asked for
	for _, b := range v.spec.Bridges {
		own[station{linkKey{b.Namespace, b.Name}, strings.ToLower(b.MAC)}] = b.Name
	}
	for i := range v.spec.Veths {
		for _, e := range []struct {
			name string
			end  *End
		}{{"a", &v.spec.Veths[i].A}, {"b", &v.spec.Veths[i].B}} {
			at := item("/veths", i) + "/" + e.name
			switch {
			case e.end.Master == "" && e.end.BridgePort != nil:
				v.fail(at+"/bridge_port", "only a bridge port has these settings: name its master")
			case e.end.Master == "":
			case e.end.Master == e.end.Name:
				v.fail(at+"/master", "a link cannot be its own port")
			case v.find.bridges[linkKey{e.end.Namespace, e.end.Master}] == nil:
				v.fail(at+"/master", "there is no bridge %q in %s", e.end.Master, e.end.Namespace)
			default:
				key := linkKey{e.end.Namespace, e.end.Master}
				own[station{key, strings.ToLower(e.end.MAC)}] = e.end.Name
				if ports[key]++; ports[key] == maxPorts+1 {
					v.fail(at+"/master", "a bridge takes %d ports", maxPorts)
				}
			}
		}
	}
	for i := range v.spec.Bridges {
		b := &v.spec.Bridges[i]
		seen := map[string]bool{}
		for j, f := range b.FDB {
			at := item(item("/bridges", i)+"/fdb", j)
			if problem := macProblem(f.MAC); problem != "" {
				v.fail(at+"/mac", "%s", problem)
			}
			// The kernel has an entry of its own for it, which takes the place of any
			// other (fdb_add_local in net/bridge/br_fdb.c).
			if name := own[station{linkKey{b.Namespace, b.Name}, strings.ToLower(f.MAC)}]; name != "" && f.VLAN == 0 && f.MAC != "" {
				v.fail(at+"/mac", "is the address of %s itself", name)
			}
			if f.Port != b.Name && !v.find.isPort(b.Namespace, f.Port, b.Name) {
				v.fail(at+"/port", "%q is no port of %s", f.Port, b.Name)
			}
			if f.VLAN < 0 || f.VLAN > 4094 {
				v.fail(at+"/vlan", "must be between 1 and 4094, or 0 for none")
			}
			if seen[f.key()] {
				v.twice(at+"/mac", "has an entry already")
			}
			seen[f.key()] = true
		}
	}
}

func (v *validator) routes() {
	seen := map[routeKey]bool{}
	for i, r := range v.spec.Routes {
		at := item("/routes", i)
		if !v.find.hasNamespace(r.Namespace) {
			v.fail(at+"/namespace", "there is no namespace %q", r.Namespace)
			continue
		}
		if _, problem := v.find.egress(r); problem != nil {
			v.fail(at+problem.Pointer, "%s", problem.Detail)
			continue
		}
		if r.Metric < 0 || r.Metric > math.MaxInt32 {
			v.fail(at+"/metric", "must be between 0 and %d", math.MaxInt32)
		}
		if seen[r.key()] {
			v.twice(at+"/destination", "has a route with this metric already")
		}
		seen[r.key()] = true
	}
}

// item points at an item of a list.
func item(list string, i int) string { return list + "/" + strconv.Itoa(i) }

// textProblem says what keeps a string from being shown to people, or nothing.
func textProblem(s string) string {
	switch {
	case len(s) > maxText:
		return fmt.Sprintf("is %d bytes long, %d at most", len(s), maxText)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return "must be printable text"
	}
	return ""
}

// LinkNameProblem says what keeps a string from being a link's name (kernel:
// dev_valid_name in net/core/dev.c), or nothing. Beyond the kernel's rules it
// refuses what the kernel or iproute2 would take for something else.
func LinkNameProblem(name string) string {
	switch {
	case name == "":
		return "a link needs a name"
	case len(name) > maxLinkName:
		return fmt.Sprintf("is %d bytes long, the kernel takes %d", len(name), maxLinkName)
	case strings.ContainsAny(name, ":%"):
		return "must not contain : or %"
	case name == "all" || name == "default":
		return "is reserved by the kernel (net.ipv4.conf." + name + ")"
	}
	return nameProblem(name)
}

var looksLikeID = regexp.MustCompile(`^[0-9]+-[0-9]+$`)

// NamespaceNameProblem says what keeps a string from being a namespace's name,
// or nothing.
func NamespaceNameProblem(name string) string {
	switch {
	case name == "":
		return "a namespace needs a name"
	case name == HostName:
		return "host is the name of the namespace netdash runs in"
	case len(name) > 128:
		return fmt.Sprintf("is %d bytes long, 128 at most", len(name))
	case looksLikeID.MatchString(name):
		return "looks like a namespace id"
	}
	return nameProblem(name)
}

func nameProblem(name string) string {
	switch {
	case name == "." || name == "..":
		return "must not be . or .."
	case strings.Contains(name, "/"):
		return "must not contain /"
	case strings.HasPrefix(name, "-"):
		return "must not start with -"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "must not contain white space or control characters"
	}
	return ""
}

func macProblem(s string) string {
	mac, err := net.ParseMAC(s)
	switch {
	case err != nil || len(mac) != 6 || mac.String() != strings.ToLower(s):
		return "is no MAC address, as in 02:00:00:00:00:01"
	case mac[0]&1 != 0:
		return "is a multicast address; a link needs a unicast one"
	case slices.Equal(mac, make(net.HardwareAddr, 6)):
		return "must not be all zeros"
	}
	return ""
}

func isBroadcast(p netip.Prefix) bool {
	a := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		if a[i/8]&(1<<(7-i%8)) == 0 {
			return false
		}
	}
	return true
}
