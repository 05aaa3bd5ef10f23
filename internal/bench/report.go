package main

import (
	_ "embed"
	"io"
	"text/template"
)

// report is what a run found out.
type report struct {
	facts  facts
	rounds int
	rows   []row
	info   []row // without a target
}

// row is one line of a table.
type row struct {
	What   string
	Ours   string // of netdash
	Other  string // what it is compared with, and its figure
	Ratio  string
	Target string
}

// wanted compares a value with its target.
func wanted(target string, met bool) string {
	if met {
		return target + ": met"
	}
	return target + ": **missed**"
}

//go:embed report.md
var layout string

func (r *report) write(w io.Writer) error {
	t, err := template.New("report").Parse(layout)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{"Facts": r.facts, "Rounds": r.rounds, "PageRounds": pageRounds, "Rows": r.rows, "Info": r.info})
}
