package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"netdash/internal/topology"
)

// prefix is where the API begins.
const prefix = "/api/v1"

// router puts the layers and all routes together.
func (h *Handler) router() (http.Handler, error) {
	compress, err := compressor()
	if err != nil {
		return nil, err
	}
	index, err := h.page("index.html")
	if err != nil {
		return nil, err
	}
	docs, err := h.page("docs.html")
	if err != nil {
		return nil, err
	}
	assets, err := h.assets()
	if err != nil {
		return nil, err
	}

	r := chi.NewRouter()
	r.Use(h.observe, secure, h.guard, h.authenticate, middleware.GetHead)
	r.NotFound(notFound)
	r.MethodNotAllowed(methodNotAllowed)

	r.Get("/healthz", h.healthz)
	r.Get("/readyz", h.readyz)
	r.Get(prefix+"/events", h.events) // hijacks the connection: nothing may pack it
	r.Group(func(r chi.Router) {
		r.Use(h.quick, compress, h.readBody)
		r.Get("/", index)
		r.Get("/docs", docs)
		r.Get("/static/*", assets)
		r.Method(http.MethodGet, "/metrics", h.metrics.handler())

		a := humachi.New(r, h.openAPI())
		h.routes(a)
		describe(r, a)
	})
	return r, nil
}

// routes is the route table of the API. Each line: path, id, summary, handler
// and, for what has a body, an example of it.
func (h *Handler) routes(a huma.API) {
	s := section{a, h, "Namespaces"}
	get(s, "/namespaces", "list-namespaces", "List the namespaces with everything in them, host first", h.listNamespaces)
	create[topology.NamespaceState](s, "/namespaces", "create-namespace", "Create a namespace", h.createNamespace, `{"name":"A"}`)
	get(s, "/namespaces/{namespace}", "get-namespace", "Show a namespace with everything in it", h.getNamespace)
	remove(s, "/namespaces/{namespace}", "delete-namespace", "Delete a namespace with everything in it", h.deleteNamespace)

	s = section{a, h, "Links"}
	get(s, "/namespaces/{namespace}/links", "list-links", "List the links of a namespace", h.listLinks)
	get(s, "/namespaces/{namespace}/links/{link}", "get-link", "Show a link", h.getLink)
	patch[topology.Link](s, "/namespaces/{namespace}/links/{link}", "patch-link", "Change, rename or move a link", h.patchLink, `{"admin_up":false,"mtu":1400}`)
	remove(s, "/namespaces/{namespace}/links/{link}", "delete-link", "Delete a bridge, or a veth pair by either end", h.deleteLink)
	get(s, "/veths", "list-veths", "List the veth pairs of all namespaces", h.listVeths)
	create[VethPair](s, "/veths", "create-veth", "Create a veth pair, each end where it belongs", h.createVeth,
		`{"a":{"namespace":"A","name":"eth0","addresses":["192.168.1.1/24"]},"b":{"namespace":"B","name":"eth0","addresses":["192.168.1.2/24"]}}`)
	get(s, "/bridges", "list-bridges", "List the bridges of all namespaces", h.listBridges)
	create[topology.Link](s, "/bridges", "create-bridge", "Create a bridge", h.createBridge, `{"namespace":"host","name":"br0","addresses":["10.1.0.254/24"]}`)

	s = section{a, h, "Addresses and routes"}
	get(s, "/namespaces/{namespace}/links/{link}/addresses", "list-addresses", "List the addresses of a link", h.listAddresses)
	create[topology.Address](s, "/namespaces/{namespace}/links/{link}/addresses", "create-address", "Add an address to a link", h.createAddress, `{"cidr":"192.168.1.1/24"}`)
	remove(s, "/namespaces/{namespace}/links/{link}/addresses/{cidr}", "delete-address", "Remove an address from a link", h.deleteAddress)
	get(s, "/namespaces/{namespace}/routes", "list-routes", "List the routes of the main table", h.listRoutes)
	create[topology.RouteState](s, "/namespaces/{namespace}/routes", "create-route", "Add a route to the main table", h.createRoute, `{"destination":"default","gateway":"10.1.0.254"}`)
	remove(s, "/namespaces/{namespace}/routes", "delete-route", "Remove a route, named by the query or by the body", h.deleteRoute)
	get(s, "/namespaces/{namespace}/neighbours", "list-neighbours", "List the ARP and ND table", h.listNeighbours)
	get(s, "/namespaces/{namespace}/firewall", "list-firewall", "List the packet filter: its chains with their rules, and as each tool prints it", h.getFirewall)

	s = section{a, h, "MAC tables"}
	get(s, "/namespaces/{namespace}/bridges/{bridge}/fdb", "list-fdb", "List a bridge's MAC table, fresh from the kernel", h.listFDB)
	create[topology.FDBEntry](s, "/namespaces/{namespace}/bridges/{bridge}/fdb", "create-fdb-entry", "Add a static entry", h.createFDB, `{"mac":"02:00:00:00:00:09","port":"p1"}`)
	remove(s, "/namespaces/{namespace}/bridges/{bridge}/fdb", "delete-fdb-entry", "Remove a static entry, named by the query or by the body", h.deleteFDB)
	post(s, "/namespaces/{namespace}/bridges/{bridge}/fdb/flush", "flush-fdb", "Forget all learned entries", h.flushFDB)

	s = section{a, h, "Topology"}
	get(s, "/topology", "get-topology", "Show everything that is observed", h.getTopology, notModified)
	get(s, "/topology/intended", "get-intended", "Show the intended topology, as JSON or YAML", h.getIntended, notModified, intendedMedia)
	assign(s, "/topology/adopt", "adopt", "Take foreign namespaces and links into the intended topology as they are", h.adopt, `{"subjects":["B","host/br0"]}`)
	assign(s, "/topology/release", "release", "Take managed namespaces and links out of the intended topology, and leave them as they are", h.release, `{"subjects":["B"]}`)
	act[topology.PlanRecord](s, "/topology/delete", "delete-several", "Delete several managed namespaces and links as one operation", h.deleteSeveral, bodyExample(`{"subjects":["B","host/br0"]}`))
	get(s, "/topology/drift", "get-drift", "Show what is not as intended, and the plan that would mend it", h.getDrift)
	act[topology.DriftReport](s, "/topology/reconcile", "reconcile", "Make the observed topology, or parts of it, as intended", h.reconcile, bodyExample(`{"subjects":["A/eth0"]}`))
	get(s, "/topology/export", "export-topology", "Write the intended topology as a document, a script, a picture or for another tool", h.exportTopology, notModified, exportMedia)
	putDocument(s, "/topology/intended", "put-intended", "Replace the intended topology, all of it or nothing", h.putIntended)
	get(s, "/operations", "list-operations", "List the journal, newest first", h.listOperations)
	get(s, "/operations/{id}", "get-operation", "Show an operation", h.getOperation)
	post(s, "/operations/{id}/cancel", "cancel-operation", "Ask a running operation to stop and be rolled back", h.cancelOperation, goesOn)
	act[topology.Operation](s, "/operations/{id}/undo", "undo-operation", "Take back what an operation did, and only that", h.undoOperation)

	s = section{a, h, "Pings"}
	post(s, "/pings", "create-ping", "Ping from inside a namespace; as NDJSON, reply by reply", h.createPing, pingMedia,
		bodyExample(`{"namespace":"A","address":"192.168.1.2","count":3}`))
	post(s, "/ping-matrix", "create-ping-matrix", "Ping from each namespace to each other; as NDJSON, cell by cell", h.createMatrix, matrixMedia,
		bodyExample(`{"namespaces":["A","B","C"]}`))

	s = section{a, h, "Diagnoses"}
	post(s, "/diagnoses", "create-diagnosis", "Tell why a ping gets no answer, and what would mend it", h.createDiagnosis, bodyExample(`{"namespace":"A","to_namespace":"B"}`))
	act[topology.Operation](s, "/diagnoses/apply", "apply-diagnosis", "Diagnose again, and mend one finding that no other call mends", h.applyDiagnosis,
		bodyExample(`{"namespace":"A","to_namespace":"B","check":"forwarding","subject":"router"}`))

	s = section{a, h, "Positions"}
	get(s, "/positions", "list-positions", "List where all viewers see what is drawn, by object", h.listPositions)
	plain(s, http.MethodPut, "/positions", "put-positions", "Replace all positions", h.putPositions,
		bodyExample(`{"items":[{"object":"ns:A","x":12.5,"y":-40,"pinned":true}]}`))
	plain(s, http.MethodPatch, "/positions", "patch-positions", "Change the positions that are named, and answer what is stored for them then", h.patchPositions,
		bodyExample(`{"items":[{"object":"ns:A","x":12.5,"y":-40,"pinned":true},{"object":"ns:B","forget":true}]}`))

	s = section{a, h, "netdash"}
	get(s, "/settings", "get-settings", "Show what is set for the lab", h.getSettings)
	patch[topology.Settings](s, "/settings", "patch-settings", "Change settings of the lab", h.patchSettings, `{"repair":"auto"}`)
	get(s, "/capabilities", "get-capabilities", "Show what this netdash on this kernel can do", h.getCapabilities)
}

// methodNotAllowed answers for a path that is there, but not with this method.
func methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	path := r.URL.RawPath
	if path == "" {
		path = r.URL.Path
	}
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if chi.RouteContext(r.Context()).Routes.Match(chi.NewRouteContext(), method, path) {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		notFound(w, r) // a method that nothing has
		return
	}
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	fail(w, r, topology.Errorf(codeMethodNotAllowed, "", "%s has no %s", r.URL.Path, r.Method).WithHint("it has %s", strings.Join(allowed, ", ")))
}
