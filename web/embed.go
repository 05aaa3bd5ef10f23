// Package web holds the page: templates and static files, embedded, so that the
// program needs nothing beside itself.
package web

import (
	"embed"
	"html/template"
	"io/fs"
)

// Files holds templates/ and static/ as they lie in the repository.
//
//go:embed templates static
var Files embed.FS

// Templates gives the parsed pages, "index.html" and "docs.html". They are part
// of the program, so one that does not parse is a fault in the build: it panics.
func Templates() *template.Template {
	return template.Must(template.ParseFS(Files, "templates/*.html"))
}

// Static gives the files served under /static/.
func Static() fs.FS {
	sub, err := fs.Sub(Files, "static")
	if err != nil {
		panic(err) //nolint:forbidigo // only for an invalid path, and this one is constant
	}
	return sub
}
