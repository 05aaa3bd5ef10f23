package api

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"netdash/internal/document"
	"netdash/internal/topology"
	"netdash/internal/topology/export"
)

// exportFormat is a language the intended topology can be written in.
type exportFormat struct {
	media     string
	extension string // of a file
	write     func(*topology.Spec) ([]byte, error)
}

// exportFormats are the formats by name, those of the enum in exportInput.
var exportFormats = map[string]exportFormat{
	"yaml":         {mediaYAML, ".yaml", document.YAML},
	"json":         {"application/json", ".json", document.JSON},
	"sh":           {"text/x-shellscript; charset=utf-8", ".sh", sure(export.Script)},
	"dot":          {"text/vnd.graphviz; charset=utf-8", ".dot", sure(export.Dot)},
	"mermaid":      {"text/vnd.mermaid; charset=utf-8", ".mmd", sure(export.Mermaid)},
	"containerlab": {mediaYAML, ".clab.yml", sure(export.Containerlab)},
}

func sure(write func(*topology.Spec) []byte) func(*topology.Spec) ([]byte, error) {
	return func(s *topology.Spec) ([]byte, error) { return write(s), nil }
}

type exportInput struct {
	Conditional
	Format string `query:"format" required:"true" enum:"yaml,json,sh,dot,mermaid,containerlab" doc:"yaml and json are the Spec itself, as PUT /topology/intended takes it; sh is a script for iproute2 that builds the lab, and takes it down with the argument down; dot is for Graphviz, mermaid a flowchart; containerlab is a topology file as far as there can be one, with a list of what was left out at its top."`
}

// exported is a file.
type exported struct {
	Status       int
	ETag         string `header:"ETag" doc:"For If-None-Match."`
	CacheControl string `header:"Cache-Control"`
	ContentType  string `header:"Content-Type" hidden:"true"`
	Disposition  string `header:"Content-Disposition" doc:"A name for the file, made from the lab's."`
	Body         []byte
}

func (h *Handler) exportTopology(_ context.Context, in *exportInput) (*exported, error) {
	spec, revision := h.Lab.Intended()
	out := &exported{Status: http.StatusOK, CacheControl: "no-cache", ETag: fmt.Sprintf(`"%d"`, revision)}
	if in.has(out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	format := exportFormats[in.Format]
	text, err := format.write(spec)
	if err != nil {
		return nil, err
	}
	out.ContentType, out.Body = format.media, text
	out.Disposition = mime.FormatMediaType("attachment", map[string]string{"filename": export.FileName(spec.Name) + format.extension})
	return out, nil
}

// exportMedia describes the formats of an export.
func exportMedia(schemas huma.Registry, op *huma.Operation) {
	content := map[string]*huma.MediaType{}
	for _, f := range exportFormats {
		media, _, _ := strings.Cut(f.media, ";")
		content[media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	content["application/json"].Schema = schemas.Schema(reflect.TypeFor[topology.Spec](), true, "")
	op.Responses["200"] = &huma.Response{Description: "OK", Content: content}
}
