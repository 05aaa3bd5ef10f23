package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"

	"netdash/internal/topology"
)

// rivalEnv marks the process that is the bare handler.
const rivalEnv = "NETDASH_BENCH_RIVAL"

// bareHandler is what a small GET costs at least with chi: a link in memory, found
// by the names in the path, written as JSON, and nothing else.
func bareHandler() http.Handler {
	link := &topology.Link{
		Key: "4-4026532000:2", Namespace: "h0", Name: "eth0", Ifindex: 2, Kind: "veth", MAC: "02:11:22:33:44:55", MTU: 1500,
		AdminUp: true, OperState: "up", Carrier: true, Flags: []string{"BROADCAST", "MULTICAST", "UP", "LOWER_UP"},
		Peer:              &topology.Peer{Known: true, Namespace: "sw", Name: "p0", Ifindex: 3, Key: "4-4026531000:3"},
		Addresses:         []topology.Address{{CIDR: "10.77.0.1/16", Scope: "global"}, {CIDR: "fe80::11:22ff:fe33:4455/64", Scope: "link", Proto: "kernel_ll"}},
		AddressGeneration: "eui64", Managed: true, Sync: topology.InSync,
	}
	links := map[string]map[string]*topology.Link{"h0": {"eth0": link}}
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // the client's loss if it is gone
	}
	r := chi.NewRouter()
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]string{"status": "ok"}) })
	r.Get("/api/v1/namespaces/{namespace}/links/{link}", func(w http.ResponseWriter, r *http.Request) {
		link := links[chi.URLParam(r, "namespace")][chi.URLParam(r, "link")]
		if link == nil {
			http.NotFound(w, r)
			return
		}
		answer(w, link)
	})
	return r
}

// serveRival is what the process of the bare handler does.
func serveRival() error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{Handler: bareHandler(), ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(listener)
}

// rivalServer is the bare handler in a process of its own, as netdash is.
type rivalServer struct {
	url string
	cmd *exec.Cmd
}

func startRival(ctx context.Context) (*rivalServer, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), rivalEnv+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	r := &rivalServer{strings.TrimSpace(line), cmd}
	if err != nil {
		return nil, errors.Join(err, r.stop())
	}
	return r, nil
}

func (r *rivalServer) stop() error {
	err := r.cmd.Process.Signal(syscall.SIGKILL)
	_ = r.cmd.Wait() // it was killed
	return err
}

// flood GETs a path over two connections a core for as long as told, and gives the
// answers per second. It is written for this: a client with a life of its own
// would take more of the cores than who is measured.
func flood(ctx context.Context, address, path string, long time.Duration) (float64, error) {
	target, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n\r\n", path, target.Host)
	began := time.Now()
	ctx, cancel := context.WithDeadline(ctx, began.Add(max(long*10, 10*time.Second)))
	defer cancel()
	counts, failures := make([]int, 2*runtime.NumCPU()), make([]error, 2*runtime.NumCPU())
	var group sync.WaitGroup
	for i := range counts {
		group.Go(func() {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", target.Host)
			if err != nil {
				failures[i] = err
				return
			}
			defer conn.Close()
			in := bufio.NewReaderSize(conn, 16<<10)
			for time.Since(began) < long && failures[i] == nil {
				if _, failures[i] = conn.Write(request); failures[i] == nil {
					failures[i] = skipAnswer(in)
				}
				counts[i]++
			}
		})
	}
	group.Wait()
	took, total := time.Since(began).Seconds(), 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / took, errors.Join(failures...)
}

// skipAnswer reads an answer, which must be a 200 of known length.
func skipAnswer(in *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")):
			return fmt.Errorf("answer: %s", line)
		case len(line) == 0:
			if length < 0 {
				return errors.New("an answer of unknown length")
			}
			_, err := in.Discard(length)
			return err
		case len(line) > 15 && bytes.EqualFold(line[:15], []byte("Content-Length:")):
			if length, err = strconv.Atoi(strings.TrimSpace(string(line[15:]))); err != nil {
				return err
			}
		}
	}
}
