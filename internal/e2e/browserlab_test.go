package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"netdash/internal/nettest"
)

// TestBrowserLab builds the lab netdash is for with mouse and keyboard. What the
// page shows is compared with what ip and bridge say.
func TestBrowserLab(t *testing.T) {
	s := start(t)
	bare := calmWorld(t)
	b := browse(t, s)
	b.see(`[data-testid="empty"]`)
	b.shot("empty")
	browserLoopback(b)
	browserPair(b)
	browserBridge(b, s, "host", []string{"h1", "h2", "h3"})
	b.createNamespace("sw", true)
	browserBridge(b, s, "sw", []string{"k1", "k2", "k3"})
	b.shot("whole")
	browserDelete(b)
	eventually(t, func() string { return difference(bare, world(t)) })
}

func browserDelete(b *tab) {
	for _, n := range []string{"test", "A", "B", "h1", "h2", "h3", "k1", "k2", "k3", "sw"} {
		// The list beside the graph reaches those the graph does not show: a
		// switch's namespace without links of its own is only a tag.
		b.key(kb.Escape)
		b.click(fmt.Sprintf(`[data-object="ns:%s"]`, n))
		b.see(fmt.Sprintf(`[data-testid="inspector"][data-selection="ns:%s"]`, n))
		b.key(kb.Delete)
		b.see(`[data-testid="consequences"]`)
		b.submit()
		b.gone(fmt.Sprintf(`[data-node="ns:%s"], [data-object="ns:%s"]`, n, n))
	}
	b.card("br:host/br0")
	b.key(kb.Delete)
	b.reads(`[data-testid="preview-commands"]`, "ip link delete dev br0")
	b.submit()
	b.see(`[data-testid="empty"]`)
}

func (b *tab) createNamespace(name string, loopbackUp bool) {
	b.t.Helper()
	b.click(`[data-testid="create-namespace"]`)
	b.fill("name", name)
	if !loopbackUp {
		b.click(`dialog [name="loopback_up"]`)
	}
	b.reads(`[data-testid="preview-commands"]`, "ip netns add "+name)
	b.submit()
	b.see(fmt.Sprintf(`[data-node=%q], [data-tag=%q]`, "ns:"+name, name))
}

// ping asks in the drawer and waits for how it ends.
func (b *tab) ping(from, to string) {
	b.t.Helper()
	b.key(kb.Escape)
	b.do(`document.querySelector('[data-testid="ping-panel"]') || document.querySelector('[data-testid="tab-ping"]').click()`)
	b.see(`[data-testid="ping-form"]`)
	b.do(fmt.Sprintf(`(() => { const e = document.querySelector('[name="from"]'); e.value = %s; e.dispatchEvent(new Event('change', {bubbles: true})) })()`, quote(from)))
	b.do(`(() => { const e = document.querySelector('[name="to"]'); e.focus(); e.select() })()`)
	b.key(to)
	b.click(`[data-testid="ping-start"]`)
	b.until("a finished ping to "+to, fmt.Sprintf(`document.querySelector('[data-testid="ping-run"][data-state]:not([data-state="running"]) h3')?.textContent.includes(%s)`, quote(from+" → "+to)))
}

func (b *tab) answered() {
	b.t.Helper()
	b.until("replies", `document.querySelectorAll('[data-testid="ping-reply"]:not(.bad)').length === 5 && document.querySelector('[data-testid="ping-summary"][data-received="5"]')`)
}

func browserLoopback(b *tab) {
	b.createNamespace("test", false)
	b.card("ns:test")
	b.see(`[data-inspect="namespace"] [data-link-row="lo"][data-state="down"]`)
	b.see(`[data-testid="firewall-none"]`)
	b.see(`[data-node="ns:test"] [data-lo="down"]`)
	b.ping("test", "127.0.0.1")
	b.reads(`[data-testid="ping-error"]`, "network is unreachable")
	b.shot("loopback-down")
	b.card("ns:test")
	b.click(`[data-toggle="test/lo"]`)
	b.see(`[data-link-row="lo"][data-state="up"]`)
	b.ping("test", "127.0.0.1")
	b.answered()
	if flags := fmt.Sprint(nettest.IP(b.t, "test", "link", "show", "lo")[0]["flags"]); !strings.Contains(flags, " UP") {
		b.t.Errorf("ip says of lo: %s", flags)
	}
}

func browserPair(b *tab) {
	b.createNamespace("A", true)
	b.createNamespace("B", true)
	b.key("v")
	b.fill("a.namespace", "A")
	b.fill("b.namespace", "B")
	b.fill("a.name", "veth0")
	b.fill("b.name", "veth0")
	b.fill("a.address", "192.168.1.1/24")
	b.fill("b.address", "192.168.1.2/24")
	b.reads(`[data-testid="preview-commands"]`, "ip -n A link add veth0 type veth peer name veth0 netns B")
	b.reads(`[data-testid="preview-curl"]`, "/api/v1/veths")
	b.shot("veth-form")
	b.submit()
	b.see(`[data-cable="A/veth0--B/veth0"][data-state-a="up"][data-state-b="up"]`)
	a, peer := nettest.IP(b.t, "A", "link", "show", "veth0")[0], nettest.IP(b.t, "B", "link", "show", "veth0")[0]
	b.see(`[data-inspect="link"]`)
	b.reads(`[data-end="A/veth0"] [data-fact="ifindex"]`, fmt.Sprint(a["ifindex"]))
	b.reads(`[data-end="B/veth0"] [data-fact="ifindex"]`, fmt.Sprint(peer["ifindex"]))
	b.reads(`[data-end="A/veth0"] [data-fact="peer"]`, "B")
	b.reads(`[data-node="ns:A"]`, fmt.Sprintf("veth0@if%v", peer["ifindex"]))
	b.shot("pair")
	b.ping("A", "192.168.1.2")
	b.answered()
	b.ping("B", "A")
	b.answered()
	// By two clicks: the button of one card, then the other card.
	b.key(kb.Escape)
	b.click(`[data-node="ns:A"] [data-testid="card-ping"]`)
	b.card("ns:B")
	b.until("a finished ping from card to card", `document.querySelector('[data-testid="ping-run"][data-state]:not([data-state="running"]) h3')?.textContent.includes("A → B")`)
	b.answered()

	// Somebody takes an end down by hand: the cable says so at once.
	nettest.Shell(b.t, "ip -n B link set veth0 down")
	b.see(`[data-cable="A/veth0--B/veth0"][data-state-a="no-carrier"][data-state-b="down"]`)
	b.see(`[data-node="ns:B"]`)
	b.shot("drifted")
	nettest.Shell(b.t, "ip -n B link set veth0 up")
	b.see(`[data-cable="A/veth0--B/veth0"][data-state-a="up"][data-state-b="up"]`)
}

func browserBridge(b *tab, s *server, where string, hosts []string) {
	b.key("b")
	b.fill("namespace", where)
	b.fill("name", "br0")
	b.submit()
	bar := "br:" + where + "/br0"
	b.see(fmt.Sprintf("[data-node=%q]", bar))
	for i, h := range hosts {
		b.createNamespace(h, true)
		// Without IPv6 a host says nothing by itself, and what is forgotten stays so.
		nettest.Shell(b.t, "ip netns exec "+h+" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'")
		b.card(bar)
		b.click(`[data-testid="plug-veth"]`)
		b.fill("a.namespace", h)
		b.fill("a.name", "eth0")
		b.fill("a.address", fmt.Sprintf("10.9.0.%d/24", i+1))
		b.fill("b.name", fmt.Sprintf("p%d", i+1))
		b.submit()
		b.see(fmt.Sprintf(`[data-cable^="%s/eth0--"][data-state-a="up"], [data-cable$="--%s/eth0"][data-state-b="up"]`, h, h))
	}
	b.card(bar)
	b.see(`[data-inspect="bridge"] [data-testid="mac-table"]`)
	b.ping(hosts[0], "10.9.0.2")
	b.answered()
	b.ping(hosts[1], "10.9.0.3")
	b.answered()
	b.card(bar)
	for i, h := range hosts {
		mac := fmt.Sprint(nettest.IP(b.t, h, "link", "show", "eth0")[0]["address"])
		row := fmt.Sprintf(`[data-mac=%q][data-port="p%d"][data-state="learned"]`, mac, i+1)
		b.see(row)
		b.reads(row, h+"/eth0")
		if table := fmt.Sprint(nettest.Bridge(b.t, where, "fdb", "show", "br", "br0")); !strings.Contains(table, mac) {
			b.t.Errorf("bridge does not know %s: %s", mac, table)
		}
	}
	b.shot("mac-table-" + where)
	// Who was asked only asks back some seconds later (delay_first_probe_time, see
	// arp(7)), which would teach the bridge again what was just flushed.
	eventually(b.t, func() string {
		for _, h := range hosts {
			if table := fmt.Sprint(nettest.IP(b.t, h, "neigh", "show")); strings.Contains(table, "DELAY") || strings.Contains(table, "PROBE") {
				return h + " still asks: " + table
			}
		}
		return ""
	})
	b.click(`[data-testid="mac-flush"]`)
	b.gone(`[data-mac][data-state="learned"]`)

	// What is learned again expires by itself.
	s.do(b.t, "PATCH", "/namespaces/"+where+"/links/br0", `{"bridge":{"ageing_seconds":4}}`).want(b.t, http.StatusOK)
	b.ping(hosts[2], "10.9.0.1")
	b.card(bar)
	b.see(`[data-mac][data-state="learned"]`)
	b.gone(`[data-mac][data-state="learned"]`)
}
