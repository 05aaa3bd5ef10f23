package inhabitants

import (
	"strings"
	"testing"

	"netdash/internal/topology"
)

const (
	id1 = "4fd1f3e1c84bd2b8ad2a5c3e7d0a6c5b8f9e0d1c2b3a49586776655443322110"
	id2 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
)

func TestContainerOf(t *testing.T) {
	for _, c := range []struct {
		what, cgroup string
		want         topology.Container // without an ID: none
	}{
		{"no cgroup", "", topology.Container{}},
		{"a service", "0::/system.slice/ssh.service\n", topology.Container{}},
		{"a login", "0::/user.slice/user-1000.slice/session-3.scope\n", topology.Container{}},
		{"docker, systemd", "0::/system.slice/docker-ID.scope\n", topology.Container{ID: id1, Engine: "docker"}},
		{"docker, cgroup below", "0::/system.slice/docker-ID.scope/init.scope\n", topology.Container{ID: id1, Engine: "docker"}},
		{"docker, cgroupfs, v1", "12:pids:/docker/ID\n11:cpu,cpuacct:/docker/ID\n1:name=systemd:/docker/ID\n0::/system.slice/docker.service\n", topology.Container{ID: id1, Engine: "docker"}},
		{"docker in docker", "0::/docker/ID/docker/OTHER\n", topology.Container{ID: id2, Engine: "docker"}},
		{"seen from another cgroup namespace", "0::/../ID\n", topology.Container{ID: id1}},
		{"podman", "0::/machine.slice/libpod-ID.scope/container\n", topology.Container{ID: id1, Engine: "podman"}},
		{"podman, rootless", "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container\n", topology.Container{ID: id1, Engine: "podman"}},
		{"podman, cgroupfs", "0::/libpod_parent/libpod-ID\n", topology.Container{ID: id1, Engine: "podman"}},
		{"podman's monitor", "0::/machine.slice/libpod-conmon-ID.scope\n", topology.Container{}},
		{"containerd in a pod", "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1234.slice/cri-containerd-ID.scope\n", topology.Container{ID: id1, Engine: "containerd"}},
		{"cri-o in a pod", "0::/kubepods.slice/kubepods-pod1234.slice/crio-ID.scope\n", topology.Container{ID: id1, Engine: "cri-o"}},
		{"a pod, cgroupfs", "0::/kubepods/burstable/pod1234/ID\n", topology.Container{ID: id1, Engine: "kubernetes"}},
		{"nerdctl", "0::/system.slice/nerdctl-ID.scope\n", topology.Container{ID: id1, Engine: "containerd"}},
		{"nspawn", "0::/machine.slice/systemd-nspawn@web\\x2d1.service/payload\n", topology.Container{ID: "web-1", Name: "web-1", Engine: "systemd-nspawn"}},
		{"a machine", "0::/machine.slice/machine-web\\x2d1.scope/payload\n", topology.Container{ID: "web-1", Name: "web-1"}},
		{"lxc", "0::/lxc.payload.web/system.slice/nginx.service\n", topology.Container{ID: "web", Name: "web", Engine: "lxc"}},
		{"lxc, v1", "4:memory:/lxc/web\n", topology.Container{ID: "web", Name: "web", Engine: "lxc"}},
		{"too short for an id", "0::/docker/abc\n", topology.Container{}},
		{"no lines of a cgroup file", "what\n:\n::\n", topology.Container{}},
	} {
		got := containerOf(strings.NewReplacer("ID", id1, "OTHER", id2).Replace(c.cgroup))
		switch {
		case got == nil && c.want.ID == "":
		case got == nil || *got != c.want:
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
}
