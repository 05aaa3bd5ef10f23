package e2e

import (
	"bufio"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"netdash/internal/nettest"
)

// TestPageOfAnUnnamedNamespace: the page calls it by who lives in it, and lists
// them.
func TestPageOfAnUnnamedNamespace(t *testing.T) {
	nettest.Require(t)
	cmd := exec.Command("unshare", "-n", "sh", "-c", "echo there; exec sleep 600")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(line, err)
	}
	s := start(t)
	b := browse(t, s)
	b.see(`[data-testid="lab-pair"]`) // one with nothing in it does not hide how to begin
	pid := strconv.Itoa(cmd.Process.Pid)
	nettest.Shell(t, "ip link add name p0 type veth peer name eth0 netns "+pid+" && ip link set p0 up && nsenter -t "+pid+" -n ip link set eth0 up")
	id := strings.TrimSpace(nettest.Shell(t, fmt.Sprintf("stat -L -c %%d-%%i /proc/%s/ns/net", pid)))
	card := `[data-node="ns:` + id + `"]`
	b.see(card)
	title := "pid " + pid + " (sleep)"
	if got := value[string](b, `document.querySelector('`+card+` .card-title').firstChild.textContent`); got != title {
		t.Errorf("the card says %q, not %q", got, title)
	}
	b.card("ns:" + id)
	b.see(`[data-inspect="namespace"] [data-process="` + pid + `"]`)
	if got := value[string](b, `document.querySelector('[data-inspect="namespace"] h2').textContent`); got != title {
		t.Errorf("the inspector says %q", got)
	}
	b.shot("unnamed")
}
