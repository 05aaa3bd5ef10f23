package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"netdash/internal/api"
	"netdash/internal/lab"
	"netdash/internal/live"
	"netdash/internal/netops"
	"netdash/internal/store"
	"netdash/internal/topology"
	"netdash/web"
)

// stopPatience is how long a stop waits for requests under way, of which an
// edit is one: it is finished, never cut off.
const stopPatience = 30 * time.Second

// restorePatience is how long a start waits for the lab to be restored after a
// reboot. It serves then, and the rest is restored meanwhile.
const restorePatience = 10 * time.Second

type options struct {
	listen, db, logLevel, token string
	hosts                       []string
}

func serveCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API and the page",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address to listen on; one that is not loopback needs --token")
	f.StringVar(&o.db, "db", defaultDatabase(), "database file")
	f.StringVar(&o.token, "token", "", "bearer token every API request must carry")
	f.StringSliceVar(&o.hosts, "host", nil, "further host name by which the server may be called; repeatable")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

// defaultDatabase is /var/lib/netdash/netdash.db for root and in the XDG state
// directory for everybody else.
func defaultDatabase() string {
	if os.Geteuid() == 0 {
		return "/var/lib/netdash/netdash.db"
	}
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "netdash.db"
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "netdash", "netdash.db")
}

// serve wires the program together and runs it until ctx ends. What was started
// last is stopped first; no lab is torn down by a stop.
func serve(ctx context.Context, cmd *cobra.Command, o options) (err error) {
	log, err := logger(o.logLevel)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, o)
	if err != nil {
		return err
	}
	defer closing(&err, "stop listening", func() error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})

	files, err := netops.RaiseFileLimit()
	if err != nil {
		return err
	}
	kernel, err := netops.New(netops.Options{Logger: log})
	if err != nil {
		return err
	}
	defer closing(&err, "close the kernel", kernel.Close)
	if err := kernel.Do(topology.HostName, func() error { return nil }); err != nil {
		return fmt.Errorf("netdash cannot enter network namespaces here: it needs CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW, as root has them: %w", err)
	}
	db, err := store.Open(ctx, o.db)
	if err != nil {
		return err
	}
	defer closing(&err, "close the database", db.Close)
	spec, revision, err := db.Load(ctx)
	if err != nil {
		return err
	}

	collect := putOffCollecting()
	watcher, err := kernel.Watch()
	if err != nil {
		return err
	}
	observed := live.New(kernel, watcher, spec, revision, log)
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		observed.Run()
	}()
	defer func() {
		watcher.Close()
		<-ran
	}()
	if err := observed.WaitReady(ctx); err != nil {
		return err
	}
	warnOfFiles(files, len(observed.Snapshot().Namespaces), log)
	edits, err := lab.New(ctx, kernel, observed, db, log)
	if err != nil {
		return err
	}
	if err := edits.Recover(ctx); err != nil {
		return err
	}
	defer repair(ctx, edits, observed, kernel.Capabilities().BootID, log)()

	handler, err := api.New(api.Config{
		Lab: edits, Live: observed, Kernel: kernel, Ready: db.Ping, Logger: log, Version: version,
		Subscribe: func(since *uint64) api.Subscription { return observed.Subscribe(since) },
		Watch: api.Watch{
			Overruns: watcher.Overruns, Dumps: watcher.Dumps, Interrupted: watcher.Interrupted, Resyncs: observed.Resyncs,
		},
		Hosts: append([]string{listener.Addr().String()}, o.hosts...), Token: o.token,
		Templates: web.Templates(), Static: web.Static(),
	})
	if err != nil {
		return err
	}
	collect()
	fmt.Fprintf(cmd.OutOrStdout(), "netdash serves http://%s/\n", listener.Addr())
	return run(ctx, listener, handler, log)
}

// putOffCollecting has the start take more memory and less time, until what it
// gives is called: what it takes to describe the API and to read a thousand
// namespaces is several times what is kept of it.
func putOffCollecting() (collect func()) {
	const percent = 400 // GOGC
	was := debug.SetGCPercent(percent)
	return func() {
		debug.SetGCPercent(was)
		go debug.FreeOSMemory()
	}
}

// warnOfFiles says so when not all namespaces can be watched.
func warnOfFiles(limit netops.FileLimit, namespaces int, log *slog.Logger) {
	if n := limit.Namespaces(); namespaces > n {
		log.Warn("the limit on open files is too low: some namespaces are not watched, and shown as incomplete",
			"limit", limit, "enough_for", n, "namespaces", namespaces, "hint", netops.RaiseHint)
	}
}

// repair restores the lab if the machine has been started anew, and from then on
// repairs what drifts, if that is set. A failure keeps nobody from being served.
// stop waits for what is under way.
func repair(ctx context.Context, edits *lab.Lab, observed *live.Live, bootID string, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	restored, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if err := edits.Restore(ctx, bootID); err != nil {
			log.Error("the lab is not restored; what is missing is shown as drift", "error", err)
		}
		close(restored)
		edits.KeepRepaired(ctx, observed.Drifted(), observed.Repairing)
	}()
	select {
	case <-restored:
	case <-time.After(restorePatience):
		log.Warn("restoring the lab takes long; netdash serves meanwhile")
	case <-ctx.Done():
	}
	return func() {
		cancel()
		<-done
	}
}

// run serves until ctx ends, then finishes what is under way.
func run(ctx context.Context, listener net.Listener, handler *api.Handler, log *slog.Logger) error {
	server := api.NewServer("", handler)
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping; the lab stays as it is")
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	handler.Close()
	if err := server.Shutdown(patience); err != nil {
		return errors.Join(fmt.Errorf("requests are still under way after %s: %w", stopPatience, err), server.Close())
	}
	if err := handler.Wait(patience); err != nil {
		return fmt.Errorf("edits are still under way after %s: %w", stopPatience, err)
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level: %w", err)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}

// listen opens the listening socket. Root behind an address others reach must
// be asked for with a token.
func listen(ctx context.Context, o options) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if a, ok := listener.Addr().(*net.TCPAddr); (!ok || !a.IP.IsLoopback()) && o.token == "" {
		return nil, errors.Join(fmt.Errorf("--listen %s can be reached from outside this machine: it needs a --token (or NETDASH_TOKEN)", o.listen), listener.Close())
	}
	return listener, nil
}

// closing runs one step of the shutdown and keeps its error if it is the first.
func closing(err *error, what string, f func() error) {
	if e := f(); e != nil && *err == nil {
		*err = fmt.Errorf("%s: %w", what, e)
	}
}
