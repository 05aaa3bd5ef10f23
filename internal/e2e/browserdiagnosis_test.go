package e2e

import (
	"fmt"
	"strings"
	"testing"

	"netdash/internal/nettest"
)

// TestBrowserDiagnosis breaks a lab by hand, asks the page why it does not ping,
// and mends it by the page's button; ip and ping(8) are the judges.
func TestBrowserDiagnosis(t *testing.T) {
	s := start(t)
	s.intend(t, threeOnABridge)
	b := browse(t, s)
	b.see(`[data-node="br:host/br0"]`)
	nettest.Shell(t, "ip -n h2 link set eth0 down")
	b.see(`[data-node="ns:h2"] [data-row="h2/eth0"][data-state="down"]`)

	b.ping("h1", "h2")
	b.see(`[data-testid="ping-reply"].bad, [data-testid="ping-error"]`)
	b.click(`[data-testid="why-not"]`)
	b.see(`[data-testid="diagnosis"][data-state="done"][data-reachable="false"]`)
	b.see(`[data-testid="check"][data-first="true"][data-status="broken"][data-subject="h2/eth0"]`)
	b.see(`[data-finding="h2/eth0"][data-status="broken"]`)
	b.reads(`[data-testid="mend-commands"]`, "ip -n h2 link set")
	b.shot("why-not")
	if n := value[int](b, `document.querySelectorAll('[data-first="true"]').length`); n != 1 {
		t.Errorf("%d checks are the first broken one", n)
	}
	if flags := fmt.Sprint(nettest.IP(t, "h2", "link", "show", "eth0")[0]["flags"]); strings.Contains(flags, " UP") {
		t.Fatalf("it was mended before anybody asked: %s", flags)
	}

	b.click(`[data-testid="mend"]`)
	b.see(`[data-testid="diagnosis"][data-state="done"][data-reachable="true"]`)
	b.see(`[data-testid="mended"]`)
	b.gone(`[data-finding]`)
	b.shot("mended")
	if flags := fmt.Sprint(nettest.IP(t, "h2", "link", "show", "eth0")[0]["flags"]); !strings.Contains(flags, "UP") {
		t.Errorf("ip says of h2/eth0: %s", flags)
	}
	if !answers(t, "h1", "10.0.0.2") {
		t.Error("ping(8) gets no reply")
	}
	b.click(`[data-testid="tab-ping"]`)
	b.see(`[data-testid="ping-run"][data-state="done"] [data-testid="ping-summary"][data-received="3"]`)

	// Asked for without a ping; a healthy pair has nothing that is broken.
	b.click(`[data-testid="tab-why"]`)
	b.see(`[data-testid="why-form"]`)
	b.ask("h1", "h3")
	b.click(`[data-testid="why-start"]`)
	b.until("a diagnosis of h3", `document.querySelector('[data-testid="diagnosis"][data-state="done"][data-reachable="true"] h3')?.textContent.includes("h1 → h3")`)
	b.gone(`[data-testid="check"][data-status="broken"]`)

	// What is found is said in the language of the page.
	nettest.Shell(t, "ip -n h2 link set eth0 down")
	b.do(`globalThis.before = true; localStorage.setItem('netdash.language', 'zh-CN'); location.reload()`)
	b.until("the page anew", `!('before' in globalThis)`)
	b.see(`html[lang="zh-CN"] [data-node="ns:h2"] [data-row="h2/eth0"][data-state="down"]`)
	b.click(`[data-testid="tab-why"]`)
	b.ask("h1", "h2")
	b.click(`[data-testid="why-start"]`)
	b.see(`[data-testid="diagnosis"][data-state="done"][data-reachable="false"]`)
	b.reads(`[data-testid="why-summary"]`, "h1 到不了 10.0.0.2：对端 h2/eth0 处于关闭状态。")
	b.reads(`[data-testid="check"][data-first="true"] .text`, "对端 h2/eth0 处于关闭状态")
	b.reads(`.mend > p`, "开启 h2/eth0")
	b.shot("why-not-zh")
}
