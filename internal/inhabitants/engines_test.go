package inhabitants

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netdash/internal/topology"
)

// engine serves a handler on a unix socket, as container engines do.
func engine(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return path
}

// knows answers about one container as Docker does.
func knows(id, name, image string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/containers/"+id+"/json" || r.Method != http.MethodGet {
			http.Error(w, `{"message":"No such container"}`, http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"Id":%q,"Name":%q,"State":{"Pid":7},"Config":{"Hostname":"x","Image":%q}}`, id, "/"+name, image)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEnginesDescribe(t *testing.T) {
	dir := t.TempDir()
	annotated := func(pairs string) string { return `{"ociVersion":"1.0.2","annotations":{` + pairs + `}}` }
	write(t, dir+"/containerd/k8s.io/"+id1+"/config.json", annotated(`"io.kubernetes.cri.container-name":"web","io.kubernetes.cri.image-name":"nginx:1","io.kubernetes.cri.sandbox-name":"pod"`))
	write(t, dir+"/containerd/default/"+id2+"/config.json", annotated(`"nerdctl/name":"db"`))
	write(t, dir+"/storage/"+id1+"/userdata/config.json", annotated(`"io.kubernetes.container.name":"POD","io.kubernetes.pod.name":"front","io.kubernetes.cri-o.ImageName":"pause"`))
	write(t, dir+"/lists/overlay-containers/containers.json", `[{"id":"x","names":["no"]},{"id":"`+id2+`","names":["pod1"],"metadata":"{\"image-name\":\"alpine\"}"}]`)
	bundle := dir + "/containerd/*/%s/config.json"
	for _, c := range []struct {
		what    string
		engines Engines
		ask     topology.Container
		want    topology.Container // without a name: not known
	}{
		{"docker", Engines{Docker: []string{engine(t, knows(id1, "web", "nginx"))}}, topology.Container{ID: id1, Engine: "docker"}, topology.Container{ID: id1, Engine: "docker", Name: "web", Image: "nginx"}},
		{"who it is not told", Engines{Docker: []string{engine(t, knows(id1, "web", "nginx"))}}, topology.Container{ID: id1}, topology.Container{ID: id1, Engine: "docker", Name: "web", Image: "nginx"}},
		{"the second engine", Engines{Docker: []string{engine(t, knows(id1, "web", ""))}, Podman: []string{engine(t, knows(id2, "box", "busybox"))}}, topology.Container{ID: id2, Engine: "podman"}, topology.Container{ID: id2, Engine: "podman", Name: "box", Image: "busybox"}},
		{"a pod's container", Engines{Containerd: []string{bundle}}, topology.Container{ID: id1, Engine: "kubernetes"}, topology.Container{ID: id1, Engine: "containerd", Name: "web", Image: "nginx:1"}},
		{"nerdctl's", Engines{Containerd: []string{bundle}}, topology.Container{ID: id2, Engine: "containerd"}, topology.Container{ID: id2, Engine: "containerd", Name: "db"}},
		{"cri-o's sandbox", Engines{Storage: []string{dir + "/storage/%s/userdata/config.json"}}, topology.Container{ID: id1, Engine: "cri-o"}, topology.Container{ID: id1, Engine: "cri-o", Name: "front", Image: "pause"}},
		{"podman without a service", Engines{Podman: []string{dir + "/none"}, Lists: []string{dir + "/lists/*-containers/containers.json"}}, topology.Container{ID: id2, Engine: "podman"}, topology.Container{ID: id2, Engine: "podman", Name: "pod1", Image: "alpine"}},
		{"none there", Engines{Docker: []string{dir + "/none"}, Containerd: []string{dir + "/none/%s"}}, topology.Container{ID: id1, Engine: "docker"}, topology.Container{}},
		{"none knows it", Engines{Docker: []string{engine(t, knows(id2, "x", ""))}, Lists: []string{dir + "/lists/*-containers/containers.json"}}, topology.Container{ID: id1, Engine: "docker"}, topology.Container{}},
	} {
		got, err := c.engines.Describe(t.Context(), c.ask)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		switch {
		case got == nil && c.want.Name == "":
		case got == nil || *got != c.want:
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
}

// TestEnginesThatMisbehave: the next one is asked, and it is said what went wrong.
func TestEnginesThatMisbehave(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken")
	write(t, broken, `{"annotations":`)
	for what, e := range map[string]Engines{
		"nonsense": {Docker: []string{engine(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })}},
		"an error": {Docker: []string{engine(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) })}},
		"no end": {Docker: []string{engine(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"Name":"`)
			for r.Context().Err() == nil {
				if _, err := fmt.Fprint(w, strings.Repeat("x", 1<<16)); err != nil {
					return
				}
			}
		})}},
		"a broken file": {Containerd: []string{broken}},
	} {
		e.Podman = []string{engine(t, knows(id1, "web", "nginx"))}
		if what == "a broken file" { // files come later
			e.Podman, e.Storage = nil, []string{filepath.Join(t.TempDir(), "config.json")}
			write(t, e.Storage[0], `{"annotations":{"nerdctl/name":"web"}}`)
		}
		got, err := e.Describe(t.Context(), topology.Container{ID: id1})
		if err == nil || got == nil || got.Name != "web" {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
}

func TestEngineThatDoesNotAnswer(t *testing.T) {
	asked, done := make(chan bool, 1), make(chan bool)
	e := Engines{Docker: []string{engine(t, func(http.ResponseWriter, *http.Request) { asked <- true; <-done })}}
	defer close(done)
	began := time.Now()
	if got, err := e.Describe(t.Context(), topology.Container{ID: id1}); got != nil || err == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if took := time.Since(began); took > engineTimeout+5*time.Second {
		t.Errorf("it took %s", took)
	}
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	began = time.Now()
	if _, err := e.Describe(ctx, topology.Container{ID: id1}); err == nil {
		t.Error("no error although it was cancelled")
	}
	if took := time.Since(began); took > engineTimeout {
		t.Errorf("cancelled, it took %s", took)
	}
}
