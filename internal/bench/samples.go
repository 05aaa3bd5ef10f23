package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// samples are values of one kind: one a round, or one an event.
type samples []float64

// quantile gives the value below which the share p of all lies.
func (s samples) quantile(p float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

func (s samples) median() float64 {
	if n := len(s); n > 0 && n%2 == 0 {
		sorted := slices.Sorted(slices.Values(s))
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return s.quantile(0.5)
}

// over divides round by round.
func (s samples) over(other samples) samples {
	out := make(samples, len(s))
	for i := range s {
		out[i] = s[i] / other[i]
	}
	return out
}

// String gives the median of the rounds with the least and the greatest.
func (s samples) String() string { return spread(s.median(), s) }

// spread writes a value with the least and the greatest of the rounds.
func spread(value float64, rounds samples) string {
	if len(rounds) < 2 {
		return number(value)
	}
	return fmt.Sprintf("%s (%s–%s)", number(value), number(slices.Min(rounds)), number(slices.Max(rounds)))
}

// number writes three digits that count.
func number(v float64) string {
	if v == 0 || math.IsNaN(v) {
		return "–"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return strconv.FormatFloat(v, 'f', min(max(digits, 0), 4), 64)
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// timed tells how long f takes, in milliseconds.
func timed(f func() error) (float64, error) {
	began := time.Now()
	err := f()
	return milliseconds(time.Since(began)), err
}

// pooled is what single events took, round by round.
type pooled []samples

// quantile gives the quantile of all events, with the least and the greatest of
// the rounds' own.
func (p pooled) quantile(q float64) (float64, samples) {
	var rounds samples
	for _, r := range p {
		rounds = append(rounds, r.quantile(q))
	}
	return slices.Concat(p...).quantile(q), rounds
}
