package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"netdash/internal/nettest"
)

// TestBrowserFirewall: the page shows what nft and both iptables print, and
// whether the namespace forwards.
func TestBrowserFirewall(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	b := browse(t, s)
	b.card("ns:A")
	b.see(`[data-testid="firewall-none"]`)
	b.see(`[data-route="fe80::/64"]`) // the last to come; what is below stays where it is then
	b.see(`[data-testid="forwarding"][data-ipv4="false"]`)
	nettest.Shell(t, `ip netns exec A sh -ec '
		sysctl -qw net.ipv4.ip_forward=1
		nft "table inet mine { chain c { type filter hook input priority 0; ip saddr 10.9.9.9 drop comment \"four <b>\"; }; }"
		iptables-nft -A INPUT -p tcp --dport 2201 -j DROP
		iptables-legacy -A OUTPUT -p udp --dport 2203 -j REJECT'`)
	b.click(`[data-testid="firewall-again"]`)
	b.reads(`[data-tool="nft"] pre`, `ip saddr 10.9.9.9 drop comment "four <b>"`)
	b.reads(`[data-tool="nft"]`, "ip netns exec A nft list ruleset")
	b.reads(`[data-tool="iptables-nft"] pre`, "-A INPUT -p tcp -m tcp --dport 2201 -j DROP")
	b.reads(`[data-tool="iptables-legacy"] pre`, "-A OUTPUT -p udp -m udp --dport 2203 -j REJECT")
	b.reads(`[data-testid="firewall-empty"]`, "ip6tables-nft, ip6tables-legacy")
	b.gone(`[data-testid="firewall-none"]`)
	b.see(`[data-testid="forwarding"][data-ipv4="true"][data-ipv6="false"]`)
	b.shot("firewall")
}

// TestBrowserCounters: counters are what ip tells, rates come and are zero on a
// quiet link.
func TestBrowserCounters(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	b := browse(t, s)
	b.see(`[data-row="A/eth0"]`)
	b.click(`[data-row="A/eth0"] .row-name`)
	counter := func(end, name string) string {
		return fmt.Sprintf(`Number(document.querySelector('[data-end=%q] [data-counter=%q]')?.dataset.value)`, end, name)
	}
	b.until("a rate", counter("A/eth0", "rx_bits_per_second")+" >= 0")
	nettest.Shell(t, "ip netns exec A ping -q -c 20 -i 0.05 192.168.1.2")
	b.until("the pings", counter("B/eth0", "rx_packets")+" >= 20")
	b.see(`[data-end="A/eth0"] .rates canvas`)
	eventually(t, func() string {
		stats, _ := nettest.IP(t, "A", "-s", "link", "show", "eth0")[0]["stats64"].(map[string]any)
		tx, _ := stats["tx"].(map[string]any)
		if want, got := fmt.Sprint(tx["packets"]), value[string](b, `document.querySelector('[data-end="A/eth0"] [data-counter="tx_packets"]').dataset.value`); got != want {
			return fmt.Sprintf("tx packets are %s, ip says %s", got, want)
		}
		return ""
	})
	b.until("a quiet link", counter("A/eth0", "tx_bits_per_second")+" === 0")
	b.shot("counters")
}

// TestBrowserInline edits in place what can be edited; ip is the judge.
func TestBrowserInline(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	b := browse(t, s)
	b.see(`[data-row="A/eth0"]`)
	b.click(`[data-row="A/eth0"] .row-name`)

	const end = `[data-end="A/eth0"] `
	b.click(end + `[data-testid="inline-mtu"]`)
	b.inline("mtu", "9")
	b.reads(end+`[data-testid="inline-error"]`, "must be between 68 and 65535")
	b.shot("inline-error")
	b.key(kb.Enter) // is refused, and stays open
	b.inline("mtu", "1400")
	b.reads(end+`[data-testid="inline-commands"]`, "ip -n A link set dev eth0 mtu 1400")
	b.key(kb.Enter)
	b.reads(end+`[data-inline-value="mtu"]`, "1400")
	b.until("the focus where it was", `document.activeElement?.dataset.testid === 'inline-mtu'`)
	b.reads(`[data-testid="toast"]`, "ip -n A link set dev eth0 mtu 1400")
	if mtu := fmt.Sprint(nettest.IP(t, "A", "link", "show", "eth0")[0]["mtu"]); mtu != "1400" {
		t.Errorf("ip says MTU %s", mtu)
	}
	b.key(kb.Enter) // the pencil has the focus
	b.inline("mtu", "1300")
	b.key(kb.Escape)
	b.gone(`[data-testid="inline-form"]`)
	b.see(`[data-testid="inspector"][data-selection="link:A/eth0"]`) // Escape left the input alone

	b.click(end + `[data-testid="inline-add-address"]`)
	b.inline("address", "10.7.0.1/24")
	b.reads(end+`[data-testid="inline-commands"]`, "ip -n A address add 10.7.0.1/24")
	b.key(kb.Enter)
	b.see(end + `[data-address="10.7.0.1/24"]`)
	if got := nettest.Shell(t, "ip -n A -br addr show eth0"); !strings.Contains(got, "10.7.0.1/24") {
		t.Errorf("ip says %s", got)
	}
	b.click(end + `[data-testid="inline-name"]`)
	b.inline("name", "wan")
	b.reads(`[data-testid="inline-commands"]`, "name wan")
	b.key(kb.Enter)
	b.see(`[data-testid="inspector"][data-selection="link:A/wan"] [data-end="A/wan"]`)

	b.card("ns:A")
	b.click(`[data-testid="inline-add-route"]`)
	b.inline("route", "default over 192.168.1.2")
	b.reads(`[data-testid="inline-error"]`, "over")
	b.inline("route", "default via 192.168.1.2")
	b.key(kb.Enter)
	b.see(`[data-route="default"]`)
	if got := nettest.Shell(t, "ip -n A route show default"); !strings.Contains(got, "via 192.168.1.2 dev wan") {
		t.Errorf("ip says %s", got)
	}
}

// TestBrowserPortSettings turns a setting of a port on, and undoes it.
func TestBrowserPortSettings(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	s.do(t, "POST", "/bridges", `{"namespace":"A","name":"br0"}`).want(t, http.StatusCreated)
	s.do(t, "PATCH", "/namespaces/A/links/eth0", `{"master":"br0"}`).want(t, http.StatusOK)
	b := browse(t, s)
	b.see(`[data-object="ns:A"]`)
	b.click(`[data-object="ns:A"]`)
	b.click(`[data-inspect="namespace"] [data-object="link:A/eth0"]`)
	isolated := func(want bool) {
		t.Helper()
		eventually(t, func() string {
			if got := nettest.Shell(t, "bridge -n A -d link show dev eth0"); strings.Contains(got, "isolated on") != want {
				return "bridge says " + got
			}
			return ""
		})
	}
	b.click(`[data-testid="inline-port-isolated"]`)
	b.see(`[data-testid="inline-port-isolated"][aria-checked="true"]`)
	isolated(true)
	b.reads(`[data-testid="toast"]`, "isolated on")
	b.click(`[data-testid="toast-action"]`)
	b.see(`[data-testid="inline-port-isolated"][aria-checked="false"]`)
	isolated(false)

	b.click(`[data-testid="inline-port-cost"]`)
	b.inline("port-cost", "0")
	b.see(`[data-testid="inline-error"]`)
	b.inline("port-cost", "77")
	b.key(kb.Enter)
	b.reads(`[data-inline-value="port-cost"]`, "77")
	if got := nettest.Shell(t, "bridge -n A -d link show dev eth0"); !strings.Contains(got, "cost 77") {
		t.Errorf("bridge says %s", got)
	}
}

// TestBrowserUndoTo goes back to how it was after an operation.
func TestBrowserUndoTo(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	b := browse(t, s)
	b.see(`[data-node="ns:B"]`)
	b.click(`[data-testid="tab-operations"]`)
	b.click(`[data-operation="1"] .event`)
	b.click(`[data-operation="1"] [data-testid="operation-undo-to"]`)
	b.reads(`dialog .undo-list`, "#3")
	b.until("the button in focus", `document.activeElement?.matches('dialog [data-testid="submit"]')`)
	b.key(kb.Enter)
	b.gone(`[data-node="ns:B"]`)
	b.see(`[data-operation="3"][data-state="undone"]`)
	b.see(`[data-operation="2"][data-state="undone"]`)
	if all := namespaces(t); slices.Contains(all, "B") || !slices.Contains(all, "A") {
		t.Errorf("ip has %v", all)
	}
}

// inline gives the input that is open in the inspector a text.
func (b *tab) inline(name, text string) {
	b.t.Helper()
	selector := fmt.Sprintf(`[data-testid="inline-form"] [name=%q]`, "inline-"+name)
	b.see(selector)
	b.do(fmt.Sprintf("(() => { const e = document.querySelector(%s); e.focus(); e.select() })()", quote(selector)))
	b.run(chromedp.KeyEvent(text))
	b.until(text+" typed", fmt.Sprintf("document.querySelector(%s).value === %s", quote(selector), quote(text)))
}
