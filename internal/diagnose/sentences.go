package diagnose

import (
	"fmt"
	"strings"
)

// Sentence is what is said of a finding, of a repair or of the outcome, for programs
// and for other languages than English.
type Sentence struct {
	Reason string            `json:"reason" doc:"What the sentence says, as a word that stays the same: no_neighbour, not_forwarding. For programs, and for other languages." example:"not_forwarding"`
	Values map[string]string `json:"values,omitempty" doc:"What the sentence names, by the role it has there: objects, addresses, numbers, errors of the kernel."`
}

// say makes the Sentence of a reason from names and values by turns. sentences has
// its words; a test holds the two together.
func say(reason string, values ...any) Sentence {
	s := Sentence{Reason: reason, Values: map[string]string{}}
	for i := 1; i < len(values); i += 2 {
		s.Values[fmt.Sprint(values[i-1])] = fmt.Sprint(values[i])
	}
	return s
}

// text is the Sentence in English.
func (s Sentence) text() string {
	var fill []string
	for name, value := range s.Values {
		if phrase, ok := sentences[name+"."+value]; ok {
			value = phrase
		}
		fill = append(fill, "{"+name+"}", value)
	}
	return strings.NewReplacer(fill...).Replace(sentences[s.Reason])
}

// sentences are the words of each reason in English, with its values in braces. One
// that is named "packet.reply" is the words of that value. What the page says in
// other languages is in web/static/js/words/findings.js.
var sentences = map[string]string{
	// The source.
	"namespace_there":      "{namespace} is there",
	"namespace_gone":       "there is no namespace {namespace} any more",
	"namespace_incomplete": "{namespace} cannot be read whole",
	"no_target_address":    "{namespace} has no address that could be pinged",
	"loopback_up":          "lo is up",
	"loopback_down":        "lo of {namespace} is down, so {namespace} cannot ping itself",

	// Links and their other ends.
	"link_up":        "{link} is up",
	"link_down":      "{link} is down",
	"port_down":      "the port {port} is down",
	"peer_down":      "{link}, the other end, is down",
	"no_links":       "{namespace} has no link but lo",
	"no_link_up":     "no link of {namespace} is up",
	"link_missing":   "{namespace} has no link {link}",
	"link_elsewhere": "{link} is {now} now",
	"carrier":        "{link} has a carrier",
	"no_carrier":     "{link} has no carrier",
	"peer_unseen":    "the other end of {link} is in a namespace that netdash does not see",
	"peer_gone":      "the other end of {link} is not {peer} any more: it is in a namespace that netdash does not see",
	"not_peers":      "{link} and {peer} are not the two ends of one cable any more",

	// Addresses.
	"has_addresses":      "{link} has {addresses}",
	"no_address":         "{link} has no {family} address",
	"no_address_but":     "{link} has no {family} address; {intended} is intended",
	"addresses_differ":   "{link} has {addresses}, where {intended} is intended",
	"subnets_differ":     "{link}, with {addresses}, and {other}, with {other_addresses}, are on one network but not in one subnet",
	"address_twice":      "{link} and {other}, on one network, both have the address {address}",
	"address_not_unique": "somebody else on the network has {address} too, so {link} does not use it",
	"source_is_own":      "{link} has the sender's address {source} too, and so takes nothing from there",

	// Routes.
	"route_on_link":       "{address} is on the network of {link}",
	"route_by_gateway":    "the way to {address} leads through {link} to {gateway}",
	"route_unseen":        "the route leads to {link}, which is not to be seen",
	"route_refuses":       "{namespace} has a route of the type {type} to {destination}, which covers {address}",
	"no_route":            "{namespace} has no route to {address}",
	"no_route_but":        "{namespace} has no route to {address}; one to {destination} is intended",
	"policy_refuses":      "{namespace} refuses to send to {address}; a rule of its routing policy may say so",
	"not_by_that_gateway": "{namespace} sends packets for {address} to {next} through {link}; intended is to {intended}",
	"not_by_that_link":    "{namespace} sends packets for {address} to {next} through {link}; intended is directly through {intended}",
	"reverse_path":        "{namespace} drops what comes from {source} in by {link}, because it would send answers by {back} (rp_filter)",
	"no_reverse_path":     "{namespace} drops what comes from {source}, because it has no route back to there (rp_filter)",
	"forwarding":          "{namespace} forwards",
	"not_forwarding":      "{namespace} does not forward packets, and {address} is not its own",
	"loop":                "the packet goes in a circle: after {routers} routers it is in {namespace}",

	// Packet filters.
	"filter_out":          "the packet filter lets it out",
	"filter_in":           "the packet filter lets it in",
	"filter_through":      "the packet filter lets it pass",
	"filter_drops":        "the packet filter of {namespace} drops {packet}",
	"filter_rejects":      "the packet filter of {namespace} rejects {packet}",
	"filter_may_drop":     "a rule of the packet filter of {namespace} may drop {packet}: {doubt}",
	"filter_translates":   "the packet filter of {namespace} writes other addresses into {packet} here; from then on it is not followed",
	"bridge_asks_filter":  "{bridge} hands what it forwards to the packet filter of {namespace}, which drops it, as container engines leave it",
	"packet.echo_request": "the echo request",
	"packet.reply":        "the reply",
	"packet.arp_request":  "the question for the MAC address",

	// Cables and bridges.
	"frame_way":         "the frame's way: {way}",
	"no_frame_way":      "why no frame gets from {link} to {other} cannot be seen",
	"not_plugged":       "{link}, the other end of {peer}, is plugged into no bridge",
	"not_plugged_but":   "{link} is plugged into no bridge; {intended} is intended",
	"plugged_elsewhere": "{link} is plugged into {bridge}; {intended} is intended",
	"not_one_network":   "{link} and {other} are not on one network",
	"isolated":          "the ports {port} and {other} of {bridge} are both isolated, and isolated ports do not talk to each other",
	"port_state":        "the port {port} is {state}, although its bridge has no spanning tree that would have it so",
	"stp_not_yet":       "the port {port} is still {state}: the spanning tree lets it forward after twice its forward delay",
	"stp_blocks":        "the spanning tree has the port {port} {state}, and there is no other way",
	"no_pvid":           "{link} takes no frames without a VLAN tag: it has no PVID",
	"not_in_vlan":       "{link} is not in VLAN {vlan}, which the frame is of",
	"not_out_of_vlan":   "frames that come in by {link} are of VLAN {vlan}, and {other} is not in it",

	// Who has the address, and where.
	"nobody":            "nobody on the network of {link} has the address {address}",
	"no_gateway":        "{namespace} sends it to the gateway {gateway}, which nobody on the network of {link} has",
	"maybe_behind":      "{address} may be behind {link}, where netdash does not see",
	"mac_twice":         "{link} and {other}, on one network, both have the MAC address {mac}",
	"arp_off":           "{link} neither asks for MAC addresses nor answers: ARP is off",
	"fdb_wrong":         "the MAC table of {bridge} sends frames for {mac} to {port}, but it is behind {other}",
	"no_question_flood": "the bridge keeps frames from {port}: {setting} is off, so no question for a MAC address gets there",
	"no_flood":          "the bridge keeps frames from {port}: flood is off, and the bridge does not know {mac} to be there",
	"no_flood_learning": "the bridge keeps frames from {port}: flood is off, and the bridge does not know {mac} to be there, for it learns nothing there",
	"neighbour_known":   "{address} has the MAC address {mac} ({state})",
	"neighbour_asked":   "{address} is to be asked for its MAC address",
	"neighbour_wrong":   "{namespace} takes {mac} for the MAC address of {address}, but that is {right}",
	"no_neighbour":      "{namespace} gets no answer when it asks for the MAC address of {address}, although nothing on the way to {link} is wrong",
	"neighbours_full":   "the kernel's neighbour tables are full, all namespaces together",

	// Sizes.
	"fits":        "packets of {mtu} bytes fit",
	"too_long":    "packets of {size} bytes do not fit through {link}, which takes {mtu}; {namespace} says so to their sender, which has to send smaller ones",
	"mtu_differs": "{link} sends up to {mtu} bytes, but {narrow} takes only {narrow_mtu} and drops what is longer without a word",

	// The target, and the answer.
	"delivered":    "{link} takes it for its own",
	"echo_ignored": "{namespace} is told to answer no echo requests",
	"way_back":     "the reply finds its way back to {namespace}",
	"answer":       "{address} answers",
	"no_answer":    "everything that can be seen is in order, and still there is no answer; not visible are traffic control, XDP and eBPF programs, ebtables, IPsec, and loss that comes and goes",
	"unreadable":   "this cannot be looked at: {error}",

	// Repairs.
	"make_namespace":  "make {namespace} anew, with all that is intended in it",
	"loopback_set_up": "bring lo of {namespace} up",
	"link_set_up":     "bring {link} up",
	"link_put_back":   "put {link} back in its place",
	"connect":         "connect {link} and {peer} anew",
	"plug":            "plug {link} into {bridge}",
	"restart_port":    "take {port} down and up again, after which it forwards",
	"set_on":          "turn {setting} of {port} on",
	"set_off":         "turn {setting} of {port} off",
	"give_address":    "give {link} its address",
	"give_addresses":  "give {link} the addresses it is to have",
	"take_address":    "take {address} from {link}",
	"give_mac":        "give {link} the MAC address {mac}",
	"arp_on":          "turn ARP of {link} on",
	"entry_remove":    "remove the entry from the MAC table of {bridge}",
	"learned_forget":  "have {bridge} forget what it has learned",
	"neighbour_anew":  "have {namespace} ask for it anew",
	"set_mtu":         "set the MTU of {link} to {mtu}",
	"route_restore":   "put the intended route to {destination} back",
	"route_replace":   "put the intended route in the place of the one to {destination}",
	"route_delete":    "delete the route to {destination}",
	"route_back":      "bring the route to {destination} back",
	"default_route":   "send what is for elsewhere to {gateway}",
	"rp_filter_loose": "ask only for some way back, not for the same one (loose mode)",
	"forwarding_on":   "have {namespace} forward packets",
	"echo_on":         "have {namespace} answer echo requests",
	"policy_accept":   "let pass what no rule of the chain decides",
	"rule_delete":     "delete the rule",
	"filter_off":      "keep the packet filter of {namespace} out of its bridges",
	"repair_refused":  "{finding} (netdash cannot mend it: {refusal})",

	// The outcome.
	"reached":            "{namespace} reaches {target}, and nothing is wrong on the way.",
	"reached_warning":    "{namespace} reaches {target}; one thing on the way is worth a look.",
	"reached_warnings":   "{namespace} reaches {target}; {warnings} things on the way are worth a look.",
	"not_reached":        "{namespace} does not reach {target}: {finding}.",
	"reply_lost":         "{namespace} does not reach {target}: the reply is lost: {finding}.",
	"not_reached_unseen": "{namespace} does not reach {target}; what can be seen ends here: {finding}.",
	"not_reached_why":    "{namespace} does not reach {target}, and why cannot be seen from here.",
}
