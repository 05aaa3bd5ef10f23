package lab_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// Labs that other programs have made. docs/adopt.md has the same by hand.

// tool skips the test, or fails it where nothing may be skipped, if a program of
// that Debian package is missing.
func tool(t *testing.T, program, from string) {
	t.Helper()
	nettest.Require(t)
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("NETDASH_REQUIRE_KERNEL") == "1" {
		t.Fatalf("%s is missing: apt-get install %s", program, from)
	}
	t.Skipf("%s is missing: apt-get install %s", program, from)
}

// repair leads the kernel to what is intended, as a reconciliation would.
func (m *machine) repair(t *testing.T) {
	t.Helper()
	spec, _ := m.Intended()
	observed, err := m.live.Observe(t.Context(), namespacesOf(m.live.Snapshot()))
	if err != nil {
		t.Fatal(err)
	}
	plan := topology.Drift(spec, observed)
	if len(plan) == 0 {
		t.Error("there is nothing to repair")
	}
	for _, c := range plan {
		if err := m.kernel.Apply(t.Context(), c); err != nil {
			t.Fatalf("%s: %v", c.Command(), err)
		}
	}
	if _, err := m.live.Observe(t.Context(), namespacesOf(m.live.Snapshot())); err != nil {
		t.Fatal(err)
	}
}

func namespacesOf(s *topology.Snapshot) (out []string) {
	for _, n := range s.Namespaces {
		out = append(out, n.Name)
	}
	return out
}

const cniBridge = "/usr/lib/cni/bridge"

// cni calls Debian's bridge plugin as a container engine does.
func cni(t *testing.T, command, namespace, state string) {
	t.Helper()
	nettest.Shell(t, `CNI_COMMAND=`+command+` CNI_CONTAINERID=`+namespace+` CNI_NETNS=/run/netns/`+namespace+`
		export CNI_COMMAND CNI_CONTAINERID CNI_NETNS
		CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni `+cniBridge+` <<'END'
		{"cniVersion": "0.4.0", "name": "lab", "type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "mtu": 1450,
		 "ipam": {"type": "host-local", "dataDir": "`+state+`", "routes": [{"dst": "0.0.0.0/0"}],
		          "ranges": [[{"subnet": "10.22.0.0/16"}], [{"subnet": "2001:db8:22::/64"}]]}}
END`)
}

func macOf(t *testing.T, namespace, link string) any {
	t.Helper()
	return nettest.IP(t, namespace, "link", "show", link)[0]["address"]
}

func TestAdoptCNI(t *testing.T) {
	tool(t, cniBridge, "containernetworking-plugins")
	nettest.NoLeaks(t)
	state := t.TempDir()
	foreign(t, "ip netns add box1; ip netns add box2")
	cni(t, "ADD", "box1", state)
	cni(t, "ADD", "box2", state)
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	before := settled(t)
	taken := m.adopt(t, "box1", "box2", "host/cni0")
	if len(taken.Subjects) != 3+4+2 || len(taken.Warnings) > 0 {
		t.Errorf("took %+v", taken)
	}
	m.faithful(t, topology.InSync, taken.Subjects)
	if got := everything(t); got != before {
		t.Errorf("adopting has changed\n%s", difference(before, got))
	}

	shape, mac := fingerprint(t), macOf(t, "box2", "eth0")
	for _, harm := range []string{
		"ip -n box1 link set eth0 down",
		"ip -n box2 link delete eth0",
		"ip address flush dev cni0",
		"ip link set $(ip -br link show master cni0 | head -1 | sed 's/[@ ].*//') nomaster",
		"ip link delete cni0",
		"ip -n box1 address flush dev eth0",
		"ip -n box2 route delete default",
		"ip -n box2 link set eth0 name wan; ip -n box2 link delete wan; ip link delete cni0; ip -n box1 link set lo up; ip -n box1 link set eth0 mtu 1300",
	} {
		nettest.Shell(t, harm)
		m.repair(t)
		if got := fingerprint(t); got != shape {
			t.Errorf("after %s, repaired as\n%s\nit was\n%s", harm, got, shape)
		}
		if got := macOf(t, "box2", "eth0"); got != mac {
			t.Errorf("after %s box2 has the MAC %v, it had %v", harm, got, mac)
		}
	}
	m.faithful(t, topology.InSync, taken.Subjects)

	before = settled(t)
	m.released(t, before, taken.Subjects)
	cni(t, "DEL", "box1", state)
	cni(t, "DEL", "box2", state)
	if ports := nettest.IP(t, "host", "link", "show", "master", "cni0"); len(ports) > 0 {
		t.Errorf("the plugin could not take down what was released: %v", ports)
	}
}

// mininet is a running mn with its command line.
type mininet struct {
	input  io.WriteCloser
	output *bufio.Reader
}

// startMininet runs mn, which would also like to raise some limits of the whole
// machine, and is kept from that.
func startMininet(t *testing.T, args string) *mininet {
	t.Helper()
	cmd := exec.Command("unshare", "--mount", "sh", "-c", "mount -o bind,ro /proc/sys /proc/sys && exec mn "+args)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m := &mininet{input, bufio.NewReader(pipe)}
	t.Cleanup(func() {
		_ = input.Close() // its command line ends, and it takes its lab down
		stop := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		said, _ := io.ReadAll(m.output)
		if err := cmd.Wait(); err != nil {
			t.Errorf("mn: %v\n%s", err, said)
		}
	})
	return m
}

// ask gives mn a command and its answer up to a line that matches.
func (m *mininet) ask(t *testing.T, command, until string) string {
	t.Helper()
	if _, err := io.WriteString(m.input, command+"\n"); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for last := regexp.MustCompile(until); ; {
		line, err := m.output.ReadString('\n')
		said.WriteString(line)
		if err != nil {
			t.Fatalf("mn, asked %s: %v\n%s", command, err, &said)
		}
		if last.MatchString(line) {
			return said.String()
		}
	}
}

func TestAdoptMininet(t *testing.T) {
	tool(t, "mn", "mininet")
	tool(t, "brctl", "bridge-utils")
	nettest.NoLeaks(t)
	t.Cleanup(func() { sweep(t) })
	mn := startMininet(t, "--switch lxbr --controller none --topo single,3")
	dump := mn.ask(t, "dump", "LinuxBridge s1")
	for _, host := range regexp.MustCompile(`<Host (h\d): .*pid=(\d+)>`).FindAllStringSubmatch(dump, -1) {
		nettest.Shell(t, "ip netns attach "+host[1]+" "+host[2])
	}
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	before := settled(t)
	taken := m.adopt(t, "h1", "h2", "h3", "host/s1")
	if len(taken.Subjects) != 3+6+1 || len(taken.Warnings) > 0 {
		t.Errorf("took %+v", taken)
	}
	m.faithful(t, topology.InSync, taken.Subjects)
	if got := everything(t); got != before {
		t.Errorf("adopting has changed\n%s", difference(before, got))
	}

	nettest.Shell(t, "ip -n h2 address flush dev h2-eth0; ip link set s1-eth3 nomaster; ip link set s1 down")
	m.repair(t)
	m.faithful(t, topology.InSync, taken.Subjects)
	mn.ask(t, "pingall", "0% dropped")

	m.released(t, settled(t), taken.Subjects)
}

// startNspawn runs a container with a cable to the host: Debian's own /usr, and
// nothing that would be a system. It gives a process in it.
func startNspawn(t *testing.T) (pid string) {
	t.Helper()
	root := t.TempDir()
	nettest.Shell(t, `cd `+root+` && mkdir usr etc proc sys dev run tmp var root && cp /etc/os-release etc/ && for d in bin lib lib64 sbin; do ln -s usr/$d $d; done`)
	cmd := exec.Command("systemd-nspawn", "--register=no", "--keep-unit", "--as-pid2", "--pipe", "--quiet", "--machine=box", "--directory="+root, "--bind-ro=/usr",
		"--network-veth", "sh", "-ec", "ip address add 10.33.0.2/24 dev host0; ip link set host0 up; ip route add default via 10.33.0.1; echo ready; exec sleep infinity")
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // the container is killed, and waited for
		_ = cmd.Wait()
		// The control groups it makes stay, where no systemd takes them away.
		nettest.Shell(t, "find /sys/fs/cgroup -mindepth 2 -maxdepth 2 '(' -name payload -o -name supervisor ')' -exec rmdir {} + 2>/dev/null || true")
	})
	if line, err := bufio.NewReader(pipe).ReadString('\n'); line != "ready\n" {
		t.Fatalf("systemd-nspawn: %q, %v", line, err)
	}
	inside, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
	if err != nil || len(strings.Fields(string(inside))) == 0 {
		t.Fatalf("systemd-nspawn has no process: %q, %v", inside, err)
	}
	return strings.Fields(string(inside))[0]
}

func TestAdoptNspawn(t *testing.T) {
	tool(t, "systemd-nspawn", "systemd-container")
	nettest.NoLeaks(t)
	t.Cleanup(func() { sweep(t) })
	nettest.Shell(t, "ip netns attach box "+startNspawn(t)+" && ip address add 10.33.0.1/24 dev ve-box && ip link set ve-box up")
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	before := settled(t)
	taken := m.adopt(t, "box")
	if want := []string{"box", "box/host0", "host/ve-box", "box default"}; !slices.Equal(taken.Subjects, want) || len(taken.Warnings) > 0 {
		t.Errorf("took %+v, want %q", taken, want)
	}
	m.faithful(t, topology.InSync, taken.Subjects)
	if got := everything(t); got != before {
		t.Errorf("adopting has changed\n%s", difference(before, got))
	}

	nettest.Shell(t, "ip -n box address flush dev host0; ip -n box link set host0 mtu 1400; ip link set ve-box down")
	m.repair(t)
	m.faithful(t, topology.InSync, taken.Subjects)
	nettest.Shell(t, "ip netns exec box ping -c 1 -W 5 10.33.0.1")

	m.released(t, settled(t), taken.Subjects)
}
