package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"netdash/internal/topology"
)

// pingGap lies between two requests, in milliseconds.
const pingGap = 10

// above is by how much a round trip may be longer than iputils ping's, in µs.
const above = 20

// ping measures round trips between two hosts of a star, as netdash and as ping(8)
// tell them.
func (b *bench) ping(ctx context.Context, out *report) error {
	if err := b.star(ctx, 2); err != nil {
		return err
	}
	address := "10.0.0.2"
	var ours, iputils, gap samples // µs
	for round := range b.n.rounds + 1 {
		a, err := b.netdashPing(ctx, "h0", address)
		if err != nil {
			return err
		}
		z, err := iputilsPing(ctx, "h0", address, b.n.pings)
		if err != nil {
			return err
		}
		if round > 0 {
			ours, iputils, gap = append(ours, a.median()), append(iputils, z.median()), append(gap, a.median()-z.median())
		}
	}
	out.rows = append(out.rows, row{
		What: fmt.Sprintf("ping over a bridge, p50 of %d round trips, µs", b.n.pings), Ours: ours.String(),
		Other: "iputils `ping`: " + iputils.String(), Ratio: fmt.Sprintf("%+.1f µs", gap.median()),
		Target: wanted(fmt.Sprintf("≤ %d µs above", above), gap.median() <= above),
	})
	return b.clear(ctx, 2)
}

// netdashPing gives round trips in µs.
func (b *bench) netdashPing(ctx context.Context, from, to string) (times samples, err error) {
	for left := b.n.pings; left > 0; left -= 100 { // as many as one may have
		var r topology.PingResult
		request := fmt.Sprintf(`{"namespace":%q,"address":%q,"count":%d,"interval_ms":%d}`, from, to, min(left, 100), pingGap)
		if err := b.server.ask(ctx, "/pings", request, &r); err != nil {
			return nil, err
		}
		if r.Received != r.Sent || r.Error != "" {
			return nil, fmt.Errorf("ping: %+v", r)
		}
		for _, reply := range r.Replies {
			times = append(times, reply.RTTMS*1000)
		}
	}
	return times, nil
}

var pingTime = regexp.MustCompile(`time=([0-9.]+) ms`)

// iputilsPing gives round trips in µs.
func iputilsPing(ctx context.Context, from, to string, count int) (times samples, err error) {
	gap := (pingGap * time.Millisecond).Seconds()
	out, err := exec.CommandContext(ctx, "ip", "netns", "exec", from, "ping", "-n", "-c", strconv.Itoa(count), "-i", fmt.Sprint(gap), to).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ping: %w\n%s", err, out)
	}
	for _, m := range pingTime.FindAllStringSubmatch(string(out), -1) {
		ms, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return nil, err
		}
		times = append(times, ms*1000)
	}
	return times, nil
}

// ask posts a body and reads the JSON that is answered.
func (s *server) ask(ctx context.Context, path, body string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	got, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return fmt.Errorf("POST %s: %w", path, statusError(got.StatusCode))
	}
	return json.NewDecoder(got.Body).Decode(answer)
}
