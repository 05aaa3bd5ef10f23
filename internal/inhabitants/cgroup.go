package inhabitants

import (
	"regexp"
	"strconv"
	"strings"

	"netdash/internal/topology"
)

// Engines as they are written in a Container.
const (
	docker     = "docker"
	podman     = "podman"
	containerd = "containerd"
	crio       = "cri-o"
	kubernetes = "kubernetes" // containerd or cri-o
	lxc        = "lxc"
	nspawn     = "systemd-nspawn"
)

// The names of cgroups that engines make, one part of a path each. The programs
// that look after a container (libpod-conmon-….scope) are not in it.
var (
	scope      = regexp.MustCompile(`^(docker|libpod|cri-containerd|crio|nerdctl)-([0-9a-f]{64})(?:\.scope)?$`)
	plainID    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	nspawnUnit = regexp.MustCompile(`^systemd-nspawn@(.+)\.service$`)
	machine    = regexp.MustCompile(`^machine-(.+)\.scope$`)
	escaped    = regexp.MustCompile(`\\x[0-9a-f]{2}`)
)

var engineOfScope = map[string]string{
	"docker": docker, "libpod": podman, "cri-containerd": containerd, "nerdctl": containerd, "crio": crio,
}

// containerOf tells the container from the contents of /proc/PID/cgroup
// (cgroups(7)), nil if there is none. Of containers in containers it is the inner
// one.
func containerOf(cgroup string) *topology.Container {
	for line := range strings.Lines(cgroup) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3) // number, controllers, path
		if len(f) < 3 {
			continue
		}
		parts := strings.Split(f[2], "/")
		for i := len(parts) - 1; i > 0; i-- {
			if c := containerOfPart(parts[i], parts[:i]); c != nil {
				return c
			}
		}
	}
	return nil
}

// containerOfPart tells the container from one part of a path and those above.
func containerOfPart(part string, above []string) *topology.Container {
	parent := above[len(above)-1]
	if m := scope.FindStringSubmatch(part); m != nil {
		return &topology.Container{ID: m[2], Engine: engineOfScope[m[1]]}
	}
	if plainID.MatchString(part) {
		return &topology.Container{ID: part, Engine: engineOfParents(above)}
	}
	if m := nspawnUnit.FindStringSubmatch(part); m != nil {
		return named(nspawn, m[1])
	}
	if m := machine.FindStringSubmatch(part); m != nil && parent == "machine.slice" {
		return named("", m[1]) // libvirt's, or nspawn's started by hand
	}
	if name, ok := strings.CutPrefix(part, "lxc.payload."); ok && name != "" {
		return named(lxc, name)
	}
	if parent == lxc || parent == "lxc.payload" {
		return named(lxc, part)
	}
	return nil
}

func engineOfParents(above []string) string {
	for _, p := range above {
		switch {
		case p == docker:
			return docker
		case strings.HasPrefix(p, "kubepods"):
			return kubernetes
		}
	}
	return ""
}

// named is a container that is known by a name only, in which systemd writes
// what is no letter or digit as \x2d.
func named(engine, name string) *topology.Container {
	name = escaped.ReplaceAllStringFunc(name, func(s string) string {
		b, err := strconv.ParseUint(s[2:], 16, 8)
		if err != nil {
			return s
		}
		return string([]byte{byte(b)})
	})
	name = strings.ToValidUTF8(name, "�")
	return &topology.Container{ID: name, Name: name, Engine: engine}
}
