package netops

import (
	"reflect"
	"strings"

	"netdash/internal/topology"
)

// The labs that Changes are made on. MAC addresses are fixed, because the
// kernel's own would differ.
const (
	two = `
ip netns add A
ip netns add B
`
	pair = two + `
ip -n A link add a0 address 02:00:00:00:00:0a type veth peer name b0 address 02:00:00:00:00:0b netns B
`
	pairUp = pair + `
ip -n A link set a0 up
ip -n B link set b0 up
`
	hostPair = two + `
ip link add h0 address 02:00:00:00:00:01 type veth peer name a0 address 02:00:00:00:00:0a netns A
`
	addressed = pairUp + `
ip -n A address add 10.0.0.1/24 dev a0
ip -n A address add 2001:db8::1/64 dev a0 nodad
`
	bridge = two + `
ip -n A link add br0 address 02:00:00:00:00:99 type bridge
`
	unplugged = bridge + `
ip -n A link add p1 address 02:00:00:00:00:0a type veth peer name b0 address 02:00:00:00:00:0b netns B
ip -n A link set br0 up
ip -n B link set b0 up
`
	port = unplugged + `
ip -n A link set p1 up master br0
`
	hostUnplugged = two + `
ip link add br0 address 02:00:00:00:00:99 type bridge
ip link add p1 address 02:00:00:00:00:0a type veth peer name b0 address 02:00:00:00:00:0b netns B
ip link set br0 up
`
	hostPort = hostUnplugged + `
ip link set p1 up master br0
`
)

func equivalences() []equivalence {
	list := []equivalence{
		{"create namespace", "", topology.CreateNamespace{Name: "A"}, ""},
		{"create the first namespace ever", "mount -t tmpfs empty /run", topology.CreateNamespace{Name: "A"}, ""},
		{"create second namespace", two, topology.CreateNamespace{Name: "C.1_x-y"}, ""},
		{"delete namespace", pairUp, topology.DeleteNamespace{Name: "A"}, ""},

		{"create bridge", two, topology.CreateBridge{Namespace: "A", Name: "br0"}, ""},
		{"create bridge on host", "", topology.CreateBridge{Namespace: "host", Name: "br0"}, ""},
		{"create bridge with everything", two, topology.CreateBridge{
			Namespace: "A", Name: "br0", MAC: "02:00:00:00:00:99", MTU: 1400,
			Attributes: topology.BridgeAttributes{
				STP: new(true), AgeingSeconds: new(0), HelloSeconds: new(1),
				ForwardDelaySeconds: new(4), MaxAgeSeconds: new(6), Priority: new(4096), MulticastSnooping: new(false),
			},
		}, ""},

		{"create veth", two, topology.CreateVeth{A: topology.VethEnd{Namespace: "A", Name: "eth0"}, B: topology.VethEnd{Namespace: "B", Name: "eth0"}}, ""},
		{"create veth in one namespace", two, topology.CreateVeth{A: topology.VethEnd{Namespace: "A", Name: "x"}, B: topology.VethEnd{Namespace: "A", Name: "y"}}, ""},
		{"create veth from host", two, topology.CreateVeth{A: topology.VethEnd{Namespace: "host", Name: "x"}, B: topology.VethEnd{Namespace: "A", Name: "y"}}, ""},
		{"create veth to host", two, topology.CreateVeth{A: topology.VethEnd{Namespace: "A", Name: "x"}, B: topology.VethEnd{Namespace: "host", Name: "y"}}, ""},
		{"create veth on host", "", topology.CreateVeth{A: topology.VethEnd{Namespace: "host", Name: "x"}, B: topology.VethEnd{Namespace: "host", Name: "y"}}, ""},
		{"create veth with everything", two, topology.CreateVeth{
			A: topology.VethEnd{Namespace: "A", Name: "x", MAC: "02:00:00:00:00:0a", MTU: 9000},
			B: topology.VethEnd{Namespace: "B", Name: "y", MAC: "02:00:00:00:00:0b", MTU: 1300},
		}, ""},
		{"create veth named as keywords", two, topology.CreateVeth{
			A: topology.VethEnd{Namespace: "A", Name: "up"}, B: topology.VethEnd{Namespace: "B", Name: "type"},
		}, ""},
		{"create bridge named as a keyword", two, topology.CreateBridge{Namespace: "A", Name: "br"}, ""},

		{"delete veth", pairUp, topology.DeleteLink{Namespace: "A", Name: "a0"}, ""},
		{"delete bridge", port, topology.DeleteLink{Namespace: "A", Name: "br0"}, ""},
		{"delete link on host", hostPair, topology.DeleteLink{Namespace: "host", Name: "h0"}, ""},

		{"up", pair, topology.SetUp{Namespace: "A", Name: "a0", Up: true}, ""},
		{"down", addressed, topology.SetUp{Namespace: "A", Name: "a0"}, ""},
		{"loopback up", two, topology.SetUp{Namespace: "A", Name: "lo", Up: true}, ""},
		{"up on host", hostPair, topology.SetUp{Namespace: "host", Name: "h0", Up: true}, ""},

		{"rename", pair, topology.Rename{Namespace: "A", Name: "a0", To: "up"}, ""},
		{"rename on host", hostPair, topology.Rename{Namespace: "host", Name: "h0", To: "h1"}, ""},

		{"move", addressed, topology.Move{Namespace: "A", Name: "a0", ToNamespace: "B"}, ""},
		{"move and rename", pair, topology.Move{Namespace: "A", Name: "a0", ToNamespace: "B", To: "b1"}, ""},
		{"move to host", pair, topology.Move{Namespace: "A", Name: "a0", ToNamespace: "host"}, ""},
		{"move to host and rename", pair, topology.Move{Namespace: "A", Name: "a0", ToNamespace: "host", To: "h9"}, ""},
		{"move from host", hostPair, topology.Move{Namespace: "host", Name: "h0", ToNamespace: "B", To: "b9"}, ""},
		{"move a port", port, topology.Move{Namespace: "A", Name: "p1", ToNamespace: "B"}, ""},

		{"MAC", pairUp, topology.SetMAC{Namespace: "A", Name: "a0", MAC: "02:00:00:00:00:77"}, ""},
		{"MAC of bridge", port, topology.SetMAC{Namespace: "A", Name: "br0", MAC: "02:00:00:00:00:77"}, ""},
		{"MTU", pairUp, topology.SetMTU{Namespace: "A", Name: "a0", MTU: 9000}, ""},
		{"MTU of bridge", port, topology.SetMTU{Namespace: "A", Name: "br0", MTU: 1400}, ""},
		{"MTU without IPv6", addressed, topology.SetMTU{Namespace: "A", Name: "a0", MTU: 576}, ""},
		{"alias", pair, topology.SetAlias{Namespace: "A", Name: "a0", Alias: `Zur "Küche", it's $HOME; #1`}, ""},
		{"no alias", pair + "ip -n A link set a0 alias before", topology.SetAlias{Namespace: "A", Name: "a0"}, ""},

		{"master", unplugged + "ip -n A link set p1 up", topology.SetMaster{Namespace: "A", Name: "p1", Master: "br0"}, ""},
		{"master on host", hostUnplugged + "ip link set p1 up", topology.SetMaster{Namespace: "host", Name: "p1", Master: "br0"}, ""},
		{"other master", port + "ip -n A link add br1 address 02:00:00:00:00:98 type bridge", topology.SetMaster{Namespace: "A", Name: "p1", Master: "br1"}, ""},
		{"no master", port, topology.SetMaster{Namespace: "A", Name: "p1"}, ""},

		{"no address generation", pair, topology.SetAddressGeneration{Namespace: "A", Name: "a0"}, ""},
		{"address generation", pair + `
ip -n A link set a0 addrgenmode none
ip -n A link set a0 up
ip -n B link set b0 up`, topology.SetAddressGeneration{Namespace: "A", Name: "a0", On: true}, ""},

		{"static FDB entry", port, topology.AddFDB{Namespace: "A", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:42", Port: "p1"}}, ""},
		{"static FDB entry on host", hostPort, topology.AddFDB{Namespace: "host", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:42", Port: "p1"}}, ""},
		{"local FDB entry", port, topology.AddFDB{Namespace: "A", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:42", Port: "br0"}}, ""},
		{
			"delete static FDB entry", port + "bridge -n A fdb add 02:00:00:00:00:42 dev p1 master static",
			topology.DeleteFDB{Namespace: "A", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:42", Port: "p1"}},
			"",
		},
		{
			"delete local FDB entry", port + "bridge -n A fdb add 02:00:00:00:00:42 dev br0 self local",
			topology.DeleteFDB{Namespace: "A", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:42", Port: "br0"}},
			"",
		},
		{
			"FDB entry of a VLAN", port + "ip -n A link set br0 type bridge vlan_filtering 1\nbridge -n A vlan add dev p1 vid 7",
			topology.AddFDB{Namespace: "A", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:42", Port: "p1", VLAN: 7}},
			topology.FeatureVLANFiltering,
		},
		{
			"delete FDB entry of a VLAN", port + `
ip -n A link set br0 type bridge vlan_filtering 1
bridge -n A vlan add dev p1 vid 7
bridge -n A fdb add 02:00:00:00:00:42 dev p1 vlan 7 master static`,
			topology.DeleteFDB{Namespace: "A", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:42", Port: "p1", VLAN: 7}},
			topology.FeatureVLANFiltering,
		},
	}
	list = append(list, mendEquivalences()...)
	list = append(list, addressEquivalences()...)
	list = append(list, routeEquivalences()...)
	return append(list, settingEquivalences()...)
}

// mendEquivalences has what only a diagnosis does.
func mendEquivalences() []equivalence {
	filtered := two + `
ip netns exec A nft add table inet t
ip netns exec A nft 'add chain inet t in { type filter hook input priority 0; policy drop; }'
ip netns exec A nft add rule inet t in ip protocol icmp drop
ip netns exec A nft add rule inet t in counter accept
`
	return []equivalence{
		{"setting", two + "ip netns exec A sysctl -w net.ipv4.ip_forward=0", topology.SetSysctl{Namespace: "A", Name: "net/ipv4/ip_forward", Value: "1"}, ""},
		{"setting of a link with a dot", pair + "ip -n A link set a0 name a.0", topology.SetSysctl{Namespace: "A", Name: "net/ipv4/conf/a.0/rp_filter", Value: "2"}, ""},
		{"setting of the host", "sysctl -w net.ipv4.ip_forward=0", topology.SetSysctl{Namespace: "host", Name: "net/ipv4/ip_forward", Value: "1"}, ""},
		{"ARP off", pairUp, topology.SetARP{Namespace: "A", Name: "a0"}, ""},
		{"ARP on", pairUp + "ip -n A link set a0 arp off", topology.SetARP{Namespace: "A", Name: "a0", On: true}, ""},
		{
			"delete neighbour", addressed + "ip -n A neighbour add 10.0.0.9 lladdr 02:00:00:00:00:77 dev a0",
			topology.DeleteNeighbour{Namespace: "A", Link: "a0", Address: "10.0.0.9"},
			"",
		},
		{
			"delete IPv6 neighbour", addressed + "ip -n A neighbour add 2001:db8::9 lladdr 02:00:00:00:00:77 dev a0",
			topology.DeleteNeighbour{Namespace: "A", Link: "a0", Address: "2001:db8::9"},
			"",
		},
		{"delete rule", filtered, topology.DeleteRule{Namespace: "A", Family: "inet", Table: "t", Chain: "in", Handle: 2}, ""},
		{"policy", filtered, topology.SetPolicy{Namespace: "A", Family: "inet", Table: "t", Chain: "in", Accept: true}, ""},
	}
}

func addressEquivalences() []equivalence {
	var list []equivalence
	for link, cidrs := range map[string][]string{
		"a0": {"10.1.2.3/24", "10.1.2.3/32", "10.1.2.2/31", "10.1.2.3/0", "169.254.1.1/16", "2001:db8:1::3/64", "2001:db8:1::3/128", "fe80::7/64"},
		"lo": {"127.0.0.2/8", "127.1.0.1/32", "10.9.9.9/32", "2001:db8:9::9/128"},
	} {
		for _, cidr := range cidrs {
			name := " " + strings.ReplaceAll(cidr, "/", " bits ") + " of " + link
			list = append(list,
				equivalence{"address" + name, pairUp, topology.AddAddress{Namespace: "A", Link: link, CIDR: cidr}, ""},
				equivalence{
					"delete address" + name, pairUp + "ip -n A address add " + cidr + " dev " + link,
					topology.DeleteAddress{Namespace: "A", Link: link, CIDR: cidr},
					"",
				})
		}
	}
	return append(list,
		equivalence{"second address", addressed, topology.AddAddress{Namespace: "A", Link: "a0", CIDR: "10.0.0.2/24"}, ""},
		equivalence{"address on host", hostPair, topology.AddAddress{Namespace: "host", Link: "h0", CIDR: "10.0.0.2/24"}, ""},
		equivalence{
			"delete first address", addressed + "ip -n A address add 10.0.0.2/24 dev a0",
			topology.DeleteAddress{Namespace: "A", Link: "a0", CIDR: "10.0.0.1/24"},
			"",
		})
}

func routeEquivalences() []equivalence {
	var list []equivalence
	for name, r := range map[string]topology.Route{
		"default":                  {Destination: "default", Gateway: "10.0.0.254"},
		"default by link":          {Destination: "default", Link: "a0"},
		"default by both":          {Destination: "default", Gateway: "10.0.0.254", Link: "a0", Metric: 7},
		"zero":                     {Destination: "0.0.0.0/0", Gateway: "10.0.0.254"},
		"network":                  {Destination: "10.7.0.0/16", Gateway: "10.0.0.254"},
		"network by link":          {Destination: "10.7.0.0/16", Link: "a0"},
		"network with metric":      {Destination: "10.7.0.0/16", Link: "a0", Metric: 2147483647},
		"IPv6 default":             {Destination: "default", Gateway: "2001:db8::fe"},
		"IPv6 zero":                {Destination: "::/0", Gateway: "2001:db8::fe"},
		"IPv6 zero by link":        {Destination: "::/0", Link: "a0"},
		"IPv6 default, link-local": {Destination: "default", Gateway: "fe80::fe", Link: "a0"},
		"IPv6 network":             {Destination: "2001:db8:7::/48", Gateway: "2001:db8::fe"},
		"IPv6 network by link":     {Destination: "2001:db8:7::/48", Link: "a0"},
		"IPv6 network with metric": {Destination: "2001:db8:7::/48", Gateway: "2001:db8::fe", Metric: 5},
		"IPv6 host":                {Destination: "2001:db8:7::1/128", Link: "a0"},
	} {
		r.Namespace = "A"
		list = append(list,
			equivalence{"route " + name, addressed, topology.AddRoute{Route: r}, ""},
			equivalence{"delete route " + name, addressed + topology.AddRoute{Route: r}.Command(), topology.DeleteRoute{Route: r}, ""})
	}
	host := topology.Route{Namespace: "host", Destination: "10.7.0.0/16", Link: "h0"}
	return append(list, equivalence{"route on host", hostPair + "ip link set h0 up", topology.AddRoute{Route: host}, ""})
}

// settingEquivalences has one case for each setting of bridges and ports, away
// from its default.
func settingEquivalences() []equivalence {
	var list []equivalence
	each(func(name string, a topology.BridgeAttributes) {
		needs := ""
		if a.VLANFiltering != nil {
			needs = topology.FeatureVLANFiltering
		}
		list = append(list,
			equivalence{"create bridge with " + name, two, topology.CreateBridge{Namespace: "A", Name: "br0", MAC: "02:00:00:00:00:99", Attributes: a}, needs},
			equivalence{"bridge " + name, bridge, topology.SetBridge{Namespace: "A", Name: "br0", Attributes: a}, needs})
	})
	each(func(name string, a topology.PortAttributes) {
		list = append(list, equivalence{"port " + name, port, topology.SetPort{Namespace: "A", Name: "p1", Attributes: a}, ""})
	})
	return list
}

// each calls fn with each field of T set alone, to something else than the
// kernel's default.
func each[T any](fn func(name string, v T)) {
	numbers := map[string]int{"ageing_seconds": 77, "forward_delay_seconds": 4, "hello_seconds": 1, "max_age_seconds": 6, "priority": 9, "cost": 77}
	on := map[string]bool{"mcast_snooping": false, "multicast_snooping": false, "learning": false, "flood": false, "mcast_flood": false, "bcast_flood": false}
	for f := range reflect.TypeFor[T]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		var v T
		field := reflect.ValueOf(&v).Elem().FieldByIndex(f.Index)
		switch f.Type {
		case reflect.TypeFor[*int]():
			field.Set(reflect.ValueOf(new(numbers[name])))
		case reflect.TypeFor[*bool]():
			value, off := on[name]
			field.Set(reflect.ValueOf(new(!off || value)))
		}
		fn(name, v)
	}
}
