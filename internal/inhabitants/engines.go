package inhabitants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"netdash/internal/topology"
)

// engineTimeout bounds one question to an engine.
const engineTimeout = 2 * time.Second

// maxAnswer bounds what is read of an engine's answer or of its files, in bytes.
const maxAnswer = 8 << 20

// Engines is where container engines are found. The patterns are those of
// filepath.Glob; none of them needs to lead anywhere.
type Engines struct {
	Docker []string // sockets that speak Docker's API
	Podman []string // sockets that speak it too
	// Bundles are the OCI configurations of running containers, with %s for
	// the id: those of containerd, and of what builds on containers/storage.
	Containerd []string
	Storage    []string
	// Lists are containers/storage's lists of containers, which podman and CRI-O
	// keep.
	Lists []string
}

// DefaultEngines gives the places where distributions put them.
func DefaultEngines() *Engines {
	return &Engines{
		Docker:     []string{"/run/docker.sock"},
		Podman:     []string{"/run/podman/podman.sock", "/run/user/*/podman/podman.sock"},
		Containerd: []string{"/run/containerd/io.containerd.runtime.v2.task/*/%s/config.json"},
		Storage:    []string{"/run/containers/storage/overlay-containers/%s/userdata/config.json"},
		Lists: []string{
			"/var/lib/containers/storage/*-containers/containers.json",
			"/run/containers/storage/*-containers/volatile-containers.json",
		},
	}
}

// Describe finds out name and image of a container. Nil if nobody knows it: no
// engine being there is normal. An error tells of one that is there and did not
// answer, or not so that it could be understood.
func (e *Engines) Describe(ctx context.Context, c topology.Container) (*topology.Container, error) {
	var failed []error
	look := func(engine string, patterns []string, read func(context.Context, string, topology.Container) (*topology.Container, error)) *topology.Container {
		for _, pattern := range patterns {
			paths, err := filepath.Glob(strings.ReplaceAll(pattern, "%s", c.ID))
			if err != nil {
				failed = append(failed, err)
			}
			for _, path := range paths {
				found, err := read(ctx, path, c)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					failed = append(failed, fmt.Errorf("%s: %w", path, err))
				}
				if err == nil && found != nil {
					found.Name, found.Image = short(found.Name), short(found.Image)
					if found.Engine == "" || found.Engine == kubernetes && engine != "" {
						found.Engine = engine
					}
					return found
				}
			}
		}
		return nil
	}
	for _, from := range []struct {
		engine   string
		patterns []string
		read     func(context.Context, string, topology.Container) (*topology.Container, error)
	}{
		{docker, e.Docker, inspect},
		{podman, e.Podman, inspect},
		{containerd, e.Containerd, readBundle},
		{"", e.Storage, readBundle}, // podman's or CRI-O's
		{"", e.Lists, readList},
	} {
		if found := look(from.engine, from.patterns, from.read); found != nil {
			return found, errors.Join(failed...)
		}
	}
	return nil, errors.Join(failed...)
}

// maxText bounds a name, in bytes: a user's own engine may say anything.
const maxText = 256

func short(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "") }

// inspect asks an engine's socket (Docker Engine API, ContainerInspect).
func inspect(ctx context.Context, socket string, c topology.Container) (*topology.Container, error) {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/containers/"+c.ID+"/json", http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, nil //nolint:nilnil // documented: nobody knows it
	default:
		return nil, errors.New(response.Status)
	}
	var answer struct {
		Name   string
		Config struct{ Image string }
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&answer); err != nil {
		return nil, err
	}
	c.Name, c.Image = strings.TrimPrefix(answer.Name, "/"), answer.Config.Image
	return &c, nil
}

// The annotations in which engines write who a container is, the best first.
var (
	nameAnnotations  = []string{"io.kubernetes.cri.container-name", "nerdctl/name", "io.kubernetes.container.name", "io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"}
	imageAnnotations = []string{"io.kubernetes.cri.image-name", "nerdctl/image-ref", "io.kubernetes.cri-o.ImageName", "io.kubernetes.cri-o.Image"}
	sandboxName      = "io.kubernetes.pod.name"
)

// readBundle reads a container's OCI configuration.
func readBundle(_ context.Context, path string, c topology.Container) (*topology.Container, error) {
	var config struct {
		Annotations map[string]string
	}
	if err := readJSON(path, &config); err != nil {
		return nil, err
	}
	first := func(keys []string) string {
		for _, k := range keys {
			if v := config.Annotations[k]; v != "" {
				return v
			}
		}
		return ""
	}
	c.Name, c.Image = first(nameAnnotations), first(imageAnnotations)
	if c.Name == "POD" { // what CRI-O calls a sandbox
		c.Name = config.Annotations[sandboxName]
	}
	if c.Name == "" {
		return nil, nil //nolint:nilnil // documented: it does not say
	}
	return &c, nil
}

// readList looks a container up in a list of containers/storage.
func readList(_ context.Context, path string, c topology.Container) (*topology.Container, error) {
	var list []struct {
		ID       string   `json:"id"`
		Names    []string `json:"names"`
		Metadata string   `json:"metadata"` // JSON again
	}
	if err := readJSON(path, &list); err != nil {
		return nil, err
	}
	for _, x := range list {
		if x.ID != c.ID {
			continue
		}
		var metadata struct {
			Image string `json:"image-name"`
		}
		if x.Metadata != "" {
			if err := json.Unmarshal([]byte(x.Metadata), &metadata); err != nil {
				return nil, fmt.Errorf("metadata of %s: %w", c.ID, err)
			}
		}
		if len(x.Names) > 0 {
			c.Name = x.Names[0]
		}
		c.Image = metadata.Image
		return &c, nil
	}
	return nil, nil //nolint:nilnil // documented: nobody knows it
}

func readJSON(path string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return json.NewDecoder(io.LimitReader(f, maxAnswer)).Decode(into)
}
