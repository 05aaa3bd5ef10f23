package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"netdash/internal/topology"
)

const mediaSchema = "application/schema+json"

// rules are what the schema of a document says beside the types: what an editor
// can tell while somebody types. topology.Validate has the last word.
var rules = map[string]func(*huma.Schema){
	"Spec.name":                    text(0, 255, ""),
	"Namespace.name":               text(1, 128, namespacePattern),
	"Bridge.namespace":             text(1, 128, namespacePattern),
	"End.namespace":                text(1, 128, namespacePattern),
	"Route.namespace":              text(1, 128, namespacePattern),
	"Bridge.name":                  text(1, 15, linkPattern),
	"End.name":                     text(1, 15, linkPattern),
	"End.master":                   text(1, 15, linkPattern),
	"Route.link":                   text(1, 15, linkPattern),
	"FDBSpec.port":                 text(1, 15, linkPattern),
	"Bridge.alias":                 text(0, 255, ""),
	"End.alias":                    text(0, 255, ""),
	"Bridge.mac":                   text(0, 17, macPattern),
	"End.mac":                      text(0, 17, macPattern),
	"FDBSpec.mac":                  text(0, 17, macPattern),
	"Bridge.mtu":                   between(68, 65535),
	"End.mtu":                      between(68, 65535),
	"Namespace.loopback_addresses": each(prefixPattern),
	"Bridge.addresses":             each(prefixPattern),
	"End.addresses":                each(prefixPattern),
	"Route.destination":            text(1, 43, `^(default|[0-9A-Fa-f.:]+/[0-9]{1,3})$`),
	"Route.gateway":                text(1, 39, `^[0-9A-Fa-f.:]+$`),
}

const (
	namespacePattern = `^[^-/\s][^/\s]*$`
	linkPattern      = `^[^-/:%\s][^/:%\s]*$`
	macPattern       = `^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$`
	prefixPattern    = `^[0-9A-Fa-f.:]+/[0-9]{1,3}$`
)

func text(low, high int, pattern string) func(*huma.Schema) {
	return func(s *huma.Schema) {
		s.MaxLength, s.Pattern = &high, pattern
		if low > 0 {
			s.MinLength = &low
		}
	}
}

func between(low, high float64) func(*huma.Schema) {
	return func(s *huma.Schema) { s.Minimum, s.Maximum = &low, &high }
}

func each(pattern string) func(*huma.Schema) {
	return func(s *huma.Schema) { s.Items.Pattern, s.UniqueItems = pattern, true }
}

// specSchema writes the JSON Schema (2020-12) of a topology document.
func specSchema() ([]byte, error) {
	tameHuma()
	registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	registry.Schema(reflect.TypeFor[topology.Spec](), true, "")
	all := maps.Clone(registry.Map())
	for name, s := range all {
		for field, property := range s.Properties {
			if rule := rules[name+"."+field]; rule != nil {
				rule(property)
			}
		}
	}
	root := all["Spec"]
	delete(all, "Spec")
	document, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "netdash topology",
		"description": "What is intended: namespaces, bridges, veth pairs and routes. Every list is optional. docs/spec.md has the rules.",
		"type":        root.Type, "additionalProperties": false, "properties": root.Properties, "$defs": all,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema of a document: %w", err)
	}
	return append(document, '\n'), nil
}

// schemaOperation describes GET /topology/schema, which is not one of huma's.
func schemaOperation(schemas huma.Registry) *huma.Operation {
	return &huma.Operation{
		OperationID: "get-schema", Method: http.MethodGet, Path: prefix + "/topology/schema", Tags: []string{"Topology"},
		Summary: "Show the JSON Schema of a topology document",
		Responses: map[string]*huma.Response{
			"200": {Description: "A JSON Schema (2020-12)", Content: map[string]*huma.MediaType{mediaSchema: {Schema: &huma.Schema{Type: huma.TypeObject}}}},
			"304": {Description: "Nothing has changed since the answer with that ETag"},
			"401": problemResponse(schemas, http.StatusUnauthorized),
			"403": problemResponse(schemas, http.StatusForbidden),
			"500": problemResponse(schemas, http.StatusInternalServerError),
		},
	}
}
