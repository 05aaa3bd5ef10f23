package api

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"netdash/internal/topology"
)

// Page is what the templates are given.
type Page struct {
	Version string
}

// page executes a template once, so that a broken one is noticed at the start,
// and answers what came out.
func (h *Handler) page(name string) (http.HandlerFunc, error) {
	var text bytes.Buffer
	if err := h.Templates.ExecuteTemplate(&text, name, Page{Version: h.Version}); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text.Bytes()))
	}, nil
}

// assets answers /static/*: files only, each with an ETag of its content, so
// that a browser asks again and is told "unchanged" until the program is
// replaced.
func (h *Handler) assets() (http.HandlerFunc, error) {
	tags := map[string]func() (string, error){}
	err := fs.WalkDir(h.Static, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		tags[name] = sync.OnceValues(func() (string, error) {
			data, err := fs.ReadFile(h.Static, name)
			return contentTag(data), err
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/static/")
		tagOf, ok := tags[name]
		if !ok {
			notFound(w, r)
			return
		}
		tag, err := tagOf()
		if err != nil {
			fail(w, r, fmt.Errorf("asset %s: %w", name, err))
			return
		}
		file, err := h.Static.Open(name)
		if err != nil {
			fail(w, r, fmt.Errorf("asset %s: %w", name, err))
			return
		}
		defer func() { _ = file.Close() }() // it was only read
		content, ok := file.(io.ReadSeeker)
		if !ok {
			fail(w, r, fmt.Errorf("asset %s cannot be read from anywhere but its start", name))
			return
		}
		w.Header().Set("Content-Type", contentType(name))
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, name, time.Time{}, content)
	}, nil
}

// contentType knows the types of the page's assets without the machine's
// tables, which a small container lacks.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".map":
		return "application/json"
	case ".txt", ".md", "":
		return "text/plain; charset=utf-8"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

func notFound(w http.ResponseWriter, r *http.Request) {
	fail(w, r, topology.Errorf(topology.CodeNotFound, "", "there is nothing at %s", r.URL.Path))
}
