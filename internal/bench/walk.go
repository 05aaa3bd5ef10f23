package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"netdash/internal/topology"
	"netdash/internal/walk"
)

// walkPings are made in each round with the frames recorded, and as many without.
const walkPings = 5

// walk measures how much longer a round trip takes while all frames are recorded,
// between two hosts of a star, and looks whether all were.
func (b *bench) walk(ctx context.Context, out *report) error {
	if err := b.star(ctx, b.n.star); err != nil {
		return err
	}
	if err := b.answers(ctx); err != nil {
		return err
	}
	var without, with, added samples // µs
	lost, frames := 0, 0
	for range b.n.rounds {
		var plain, walked samples
		for range walkPings {
			for _, record := range []bool{false, true} {
				trips, w, err := b.traced(ctx, 10, record)
				if err != nil {
					return err
				}
				if !record {
					plain = append(plain, trips...)
					continue
				}
				walked = append(walked, trips...)
				frames += len(w.Frames)
				lost += lostOf(w, len(trips))
			}
		}
		without, with = append(without, plain.median()), append(with, walked.median())
		added = append(added, walked.median()-plain.median())
	}
	out.rows = append(out.rows, row{
		What: fmt.Sprintf("median round trip with frames recorded in %d namespaces, µs (%d frames, %d lost)", b.n.star+1, frames, lost),
		Ours: with.String(), Other: "without: " + without.String(), Ratio: "+" + added.String() + " µs",
		Target: wanted("≤ 20 µs more, none lost", added.median() <= 20 && lost == 0),
	})
	return b.clear(ctx, b.n.star)
}

// answers waits until one host answers another.
func (b *bench) answers(ctx context.Context) error {
	for end := time.Now().Add(10 * time.Second); ; {
		trips, _, err := b.traced(ctx, 1, false)
		if err != nil || len(trips) == 1 {
			return err
		}
		if time.Now().After(end) {
			return errors.New("the hosts of the star do not answer")
		}
	}
}

// lostOf counts the echoes, out of so many, whose way is not recorded from end to
// end, and what was dropped.
func lostOf(w *walk.Walk, echoes int) int {
	lost := w.Dropped + 2*echoes
	for _, f := range w.Frames {
		last := f.Hops[len(f.Hops)-1]
		if (f.Kind == walk.EchoRequest || f.Kind == walk.EchoReply) && len(f.Hops) == 4 && last.End == "taken" {
			lost--
		}
	}
	return lost
}

// traced pings, with its frames recorded or not, and gives the round trips, in µs.
func (b *bench) traced(ctx context.Context, count int, record bool) (samples, *walk.Walk, error) {
	body := fmt.Sprintf(`{"namespace":"h0","to_namespace":"h1","count":%d,"interval_ms":10,"walk":%t}`, count, record)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.url+"/api/v1/pings", strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := b.server.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = statusError(answer.StatusCode)
	}
	var got struct {
		topology.PingResult
		Walk *walk.Walk
	}
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	if err == nil && record && got.Walk == nil {
		err = errors.New("no walk")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("ping: %w: %.300s", err, text)
	}
	var trips samples
	for _, r := range got.Replies {
		if r.Error == "" {
			trips = append(trips, r.RTTMS*1e3)
		}
	}
	return trips, got.Walk, nil
}
