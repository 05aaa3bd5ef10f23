package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopPatience is how long netdash may take to end.
const stopPatience = 20 * time.Second

// server is a running netdash, and a client of it whose connections stay open.
type server struct {
	url   string
	ready time.Duration // from its start until it served with all namespaces read

	client *http.Client
	cmd    *exec.Cmd
	log    logText
	ended  chan error
}

// start runs netdash on the bench's database.
func (b *bench) start(ctx context.Context) (*server, error) {
	s := &server{
		cmd: exec.CommandContext(ctx, b.program, "serve", "--listen", "127.0.0.1:0", "--db", b.db, "--log-level", "warn"),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			MaxIdleConnsPerHost: 64,
			DisableCompression:  true, // who wants it asks for it
		}},
		ended: make(chan error, 1),
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = &s.log
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start netdash: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n') // printed once all has been read
	s.ready = time.Since(began)
	go func() { s.ended <- s.cmd.Wait() }()
	url, ok := strings.CutPrefix(strings.TrimSuffix(line, "/\n"), "netdash serves ")
	if err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("netdash does not serve: %q\n%s", line, s.said()), err, s.stop())
	}
	s.url = url
	return s, nil
}

// stop ends the program.
func (s *server) stop() error {
	s.client.CloseIdleConnections()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case err := <-s.ended:
		s.ended <- err // for who stops it once more
		if err != nil {
			return fmt.Errorf("netdash: %w\n%s", err, s.said())
		}
		return nil
	case <-time.After(stopPatience):
		return errors.Join(fmt.Errorf("netdash does not end\n%s", s.said()), s.cmd.Process.Kill())
	}
}

func (s *server) said() string { return s.log.String() }

// statusError is an answer with another status than expected.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("%d %s", int(s), http.StatusText(int(s))) }

// call sends a request and reads the whole answer, which must have the status.
// It gives the answer's headers and length.
func (s *server) call(ctx context.Context, status int, method, path, body string, header ...string) (http.Header, int64, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	answer, err := s.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != status {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 300)) // only to tell
		return nil, 0, fmt.Errorf("%s %s: %w, not %d: %s", method, path, statusError(answer.StatusCode), status, text)
	}
	n, err := io.Copy(io.Discard, answer.Body)
	if err != nil {
		return nil, 0, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer.Header, n, nil
}

// create posts a body and expects 201.
func (s *server) create(ctx context.Context, path, format string, args ...any) error {
	_, _, err := s.call(ctx, http.StatusCreated, http.MethodPost, path, fmt.Sprintf(format, args...))
	return err
}

// remove deletes a resource.
func (s *server) remove(ctx context.Context, path string) error {
	_, _, err := s.call(ctx, http.StatusNoContent, http.MethodDelete, path, "")
	return err
}

// logText collects what a program says.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
