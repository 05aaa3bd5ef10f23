// Package api is netdash's face to other programs: the REST API under /api/v1
// with its OpenAPI document, the websocket of events, the page and its assets,
// health and metrics.
//
// A request passes, in this order: observe (number, log, metrics, panics),
// secure (headers of every answer), guard (Host, Origin, Sec-Fetch-Site),
// authenticate (bearer token, if one is set), the router, and for the routes
// with a body readBody (size, type, syntax). The route table is router.go; each
// resource has a file of its own; every failure, whoever finds it, leaves
// through problem.go as application/problem+json.
//
// Reads are answered from live's Snapshot. An edit is a function on the Spec
// that lab runs; its answer is the object as live observes it afterwards
// (edit.go). The package knows neither kernel nor database.
package api
