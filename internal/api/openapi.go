package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"netdash/internal/topology"
)

// openAPI is huma's configuration: JSON only, nothing unknown let through, none
// of huma's own routes.
func (h *Handler) openAPI() huma.Config {
	tameHuma()
	config := huma.DefaultConfig("netdash", h.Version)
	config.Info.Description = "Linux virtual networks: what is intended, what the kernel has, and why they differ.\n\n" +
		"Every edit takes `dry_run=true`, an `Idempotency-Key` and `Prefer: respond-async`, answers when it is applied, verified " +
		"and visible to every reader, and names its operation in the header `Netdash-Operation`. Every failure is a Problem (RFC 9457) with a `code`."
	config.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.RejectUnknownQueryParameters = true
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	config.Formats = map[string]huma.Format{"application/json": format, "json": format} // "json" is what follows the + of a type
	if h.Token != "" {
		config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
		config.Security = []map[string][]string{{"token": {}}}
	}
	return config
}

// unmarshal reads JSON. A number that is one, but not one its field can hold,
// passes the schema; it is told without Go's type names.
func unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s does not fit the field %s", e.Value, e.Field)
	}
	return err //nolint:wrapcheck // huma words it
}

// describe serves the OpenAPI document as JSON and as YAML. What huma does not
// serve itself is added to it.
func describe(r chi.Router, a huma.API) {
	document := a.OpenAPI()
	schemas := document.Components.Schemas
	schemas.Schema(reflect.TypeFor[topology.Event](), true, "")
	document.AddOperation(eventsOperation(schemas))
	document.AddOperation(schemaOperation(schemas))
	r.Get(prefix+"/topology/schema", constant(mediaSchema, specSchema))
	r.Get(prefix+"/openapi.json", constant("application/openapi+json", document.MarshalJSON))
	r.Get(prefix+"/openapi.yaml", constant("application/openapi+yaml", document.YAML))
}

// constant answers the same text every time. It is written when it is first asked
// for: to write all of them would take as long as the rest of a start.
func constant(contentType string, write func() ([]byte, error)) http.HandlerFunc {
	written := sync.OnceValues(write)
	tag := sync.OnceValue(func() string {
		text, _ := written() // it is asked for only where there was no error
		return contentTag(text)
	})
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := written()
		if err != nil {
			fail(w, r, fmt.Errorf("write %s: %w", r.URL.Path, err))
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag())
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	}
}

// contentTag is the ETag of a content. It is weak: the same content goes out
// packed and unpacked.
func contentTag(content []byte) string {
	sum := sha256.Sum256(content)
	return `W/"` + hex.EncodeToString(sum[:12]) + `"`
}
