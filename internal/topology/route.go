package topology

import (
	"net/netip"
	"strings"
)

// routeKey is what tells two routes of one table apart for the kernel: it
// refuses a second one with the same destination and metric.
type routeKey struct {
	namespace   string
	destination netip.Prefix
	metric      int
}

func (r Route) key() routeKey {
	d, _ := r.prefix()
	k := routeKey{r.Namespace, d, r.Metric}
	if r.is6() && k.metric == 0 {
		k.metric = 1024 // IP6_RT_PRIO_USER: what the kernel makes of none
	}
	return k
}

func (r Route) is6() bool { return strings.Contains(r.Destination+r.Gateway, ":") }

// prefix reads the destination.
func (r Route) prefix() (netip.Prefix, bool) {
	if r.Destination == "default" {
		if r.is6() {
			return netip.PrefixFrom(netip.IPv6Unspecified(), 0), true
		}
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0), true
	}
	p, err := netip.ParsePrefix(r.Destination)
	return p, err == nil
}

// canonicalCIDR writes a CIDR the way the kernel's tools do; what is none
// stays as it is.
func canonicalCIDR(s string) string {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.String()
	}
	return s
}

// egress finds the link a route leaves by, as the kernel's own look-up of the
// next hop would (fib_check_nh): the one named, or the one with an address in
// the gateway's network. What keeps the route from being possible is reported
// with a pointer into the route.
func (x *lookup) egress(r Route) (string, *FieldError) {
	d, ok := r.prefix()
	switch {
	case !ok:
		return "", &FieldError{Pointer: "/destination", Detail: "is no network in CIDR form, nor default"}
	case d != d.Masked():
		return "", &FieldError{Pointer: "/destination", Detail: "has host bits set; the network is " + d.Masked().String()}
	case r.Link != "" && !x.carries(r.Namespace, r.Link):
		return "", &FieldError{Pointer: "/link", Detail: "there is no link " + r.Link + " of netdash in " + r.Namespace}
	case r.Gateway == "" && r.Link == "":
		return "", &FieldError{Pointer: "/gateway", Detail: "a route needs a gateway, a link, or both"}
	case r.Gateway == "":
		return r.Link, nil
	}
	gw, err := netip.ParseAddr(r.Gateway)
	switch {
	case err != nil || gw.Zone() != "":
		return "", &FieldError{Pointer: "/gateway", Detail: "is no IP address"}
	case gw.Is6() != d.Addr().Is6():
		return "", &FieldError{Pointer: "/gateway", Detail: "is of another family than the destination"}
	case gw.Is6() && gw.IsLinkLocalUnicast():
		if r.Link == "" {
			return "", &FieldError{Pointer: "/link", Detail: "a link-local gateway needs its link named"}
		}
		return r.Link, nil
	}
	return x.toward(r, gw)
}

// toward finds the link with the most specific network that a gateway is in.
func (x *lookup) toward(r Route, gw netip.Addr) (string, *FieldError) {
	best, bits := "", -1
	for _, c := range x.carriers[r.Namespace] {
		if r.Link != "" && c.name != r.Link {
			continue
		}
		for _, p := range c.networks {
			if !p.Contains(gw) {
				continue
			}
			if p.Addr() == gw {
				return "", &FieldError{Pointer: "/gateway", Detail: "is " + r.Namespace + "'s own address"}
			}
			if p.Bits() > bits {
				best, bits = c.name, p.Bits()
			}
		}
	}
	if bits < 0 {
		return "", &FieldError{Pointer: "/gateway", Detail: "no link of " + r.Namespace + " has an address in the network of " + r.Gateway}
	}
	return best, nil
}
