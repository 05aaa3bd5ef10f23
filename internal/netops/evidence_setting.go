package netops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"netdash/internal/topology"
)

// sysctlRoot shows each thread the settings of its own network namespace
// (net_ctl_root in net/sysctl_net.c).
const sysctlRoot = "/proc/sys"

// sysctlPath is the file of a setting of the network, given as its path below
// /proc/sys.
func sysctlPath(name string) (string, error) {
	if !strings.HasPrefix(name, "net/") || filepath.Clean(name) != name {
		return "", topology.Errorf(topology.CodeInvalid, "", "%s is no setting of a network namespace", name)
	}
	return filepath.Join(sysctlRoot, name), nil
}

// Sysctls reads settings of a namespace, each named by its path below /proc/sys.
// One that this kernel, or the namespace, does not have is left out.
func (k *Kernel) Sysctls(_ context.Context, namespace string, names ...string) (map[string]string, error) {
	out := map[string]string{}
	err := k.Do(namespace, func() error {
		for _, name := range names {
			path, err := sysctlPath(name)
			if err != nil {
				return err
			}
			value, err := os.ReadFile(path)
			switch {
			case err == nil:
				out[name] = strings.TrimSpace(string(value))
			case !errors.Is(err, fs.ErrNotExist):
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, refusal(namespace, fmt.Errorf("read settings: %w", err))
	}
	return out, nil
}

func (k *Kernel) setSysctl(c topology.SetSysctl) error {
	path, err := sysctlPath(c.Name)
	if err != nil {
		return err
	}
	return k.Do(c.Namespace, func() error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0) // never made: what is not there, the kernel does not have
		if err != nil {
			return err
		}
		_, err = f.WriteString(c.Value)
		return errors.Join(err, f.Close())
	})
}
