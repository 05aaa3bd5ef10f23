package api

import (
	"context"
	"maps"

	"netdash/internal/topology"
	"netdash/internal/walk"
)

// getCapabilities answers what the kernel says of itself with what the program
// and this package add: the version and the bounds on requests.
func (h *Handler) getCapabilities(context.Context, *struct{}) (*one[topology.Capabilities], error) {
	c := h.Kernel.Capabilities()
	if c.Version == "" {
		c.Version = h.Version
	}
	bounds := map[string]int{
		"body_bytes":     int(h.limits.body),
		"document_bytes": int(max(h.limits.body, h.limits.document)),
		"sockets":        cap(h.sockets),
		"pings":          cap(h.pinging),
		"matrix":         topology.MaxMatrix,
		"ping_seconds":   int(h.limits.pingTime.Seconds()),
		"walks":          cap(h.walking), "walk_requests": maxWalkRequests, "walk_namespaces": walk.MaxNamespaces,
	}
	maps.Copy(bounds, c.Limits)
	c.Limits = bounds
	if c.Features == nil {
		c.Features = map[string]bool{}
	}
	return &one[topology.Capabilities]{c}, nil
}
