package api

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"netdash/internal/topology"
)

// events answers GET /events: it checks the request while it can still be
// answered with a Problem, and hands the connection over to the websocket.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	since, err := parseSince(r.URL.Query())
	watch, tooLong := watchOf(r.URL.Query())
	if err = cmp.Or(err, tooLong); err == nil {
		err = upgradeProblem(r)
	}
	if err != nil {
		if code := topology.CodeOf(err); code == codeUpgradeRequired {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Sec-Websocket-Version", "13")
		}
		fail(w, r, err)
		return
	}
	select {
	case h.sockets <- struct{}{}:
		defer func() { <-h.sockets }()
	default:
		fail(w, r, topology.Errorf(topology.CodeBusy, "", "%d clients listen already", cap(h.sockets)))
		return
	}
	h.serveEvents(w, r, since, watch)
}

func parseSince(query url.Values) (*uint64, error) {
	if !query.Has("since") {
		return nil, nil //nolint:nilnil // no since is no error
	}
	seq, err := strconv.ParseUint(query.Get("since"), 10, 64)
	if err != nil {
		p := newProblem(topology.CodeMalformed, "since is the number of an event")
		p.Errors = []ProblemField{{Parameter: "since", Detail: "is no number from 0 up"}}
		return nil, p
	}
	return &seq, nil
}

// watchOf reads the namespaces to watch from ?watch=A,B.
func watchOf(query url.Values) ([]string, error) {
	text := strings.Join(query["watch"], ",")
	if len(text) > maxFrame {
		p := newProblem(topology.CodeMalformed, "too many namespaces to watch")
		p.Errors = []ProblemField{{Parameter: "watch", Detail: fmt.Sprintf("is longer than %d bytes", maxFrame)}}
		return nil, p
	}
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' }), nil
}

// parseWatch reads {"watch": ["A", "B"]}, the one thing a client may say.
func parseWatch(text []byte) ([]string, error) {
	var said struct {
		Watch *[]string `json:"watch"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&said); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || said.Watch == nil {
		return nil, errTalks
	}
	return *said.Watch, nil
}

// upgradeProblem says why a request cannot become a websocket (RFC 6455, 4.2.1).
func upgradeProblem(r *http.Request) error {
	upgrade := token(r.Header, "Connection", "upgrade") && token(r.Header, "Upgrade", "websocket")
	if !upgrade || r.Header.Get("Sec-Websocket-Version") != "13" {
		return topology.Errorf(codeUpgradeRequired, "", "events come over a websocket (version 13)")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-Websocket-Key")))
	if err != nil || len(key) != 16 || len(r.Header.Values("Sec-Websocket-Key")) != 1 {
		return newProblem(topology.CodeMalformed, "Sec-WebSocket-Key must be 16 bytes in base64, once")
	}
	return nil
}

// token tells whether a header's comma-separated list has a word, whatever its
// case.
func token(header http.Header, name, word string) bool {
	for _, value := range header.Values(name) {
		for one := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(one), word) {
				return true
			}
		}
	}
	return false
}

// eventsOperation describes GET /events, which is not one of huma's.
func eventsOperation(schemas huma.Registry) *huma.Operation {
	op := &huma.Operation{
		OperationID: "stream-events", Method: http.MethodGet, Path: prefix + "/events", Tags: []string{"Events"},
		Summary: "Listen to what happens, over a websocket",
		Description: "The first message is a snapshot, `{\"type\":\"snapshot\",\"seq\":…,\"revision\":…,\"topology\":{…}}`, or, with " +
			"`since`, what followed event `since` where that is still known. Then each message is one Event. Sequence numbers " +
			"have no gaps, but a client that is slow is spared changes that later ones make worthless: the next message tells how many as `coalesced`. " +
			"`{\"watch\":[\"A\",\"B\"]}`, the one message a client may send, replaces the namespaces of `watch`: their counters come once a second as `stats`, " +
			"which have the number of the last event. A `drift.changed` event holds all differences of its namespace. A `resync` event is followed by another snapshot: forget everything before it.",
		Parameters: []*huma.Param{{
			Name: "since", In: "query", Description: "Number of the last event that is known already.",
			Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: new(float64)},
		}, {
			Name: "watch", In: "query", Description: "Namespaces whose counters are wanted, with commas between them.",
			Schema: &huma.Schema{Type: huma.TypeString},
		}},
		Responses: map[string]*huma.Response{"101": {Description: "Switching Protocols; the messages are Events"}},
	}
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusUpgradeRequired} {
		op.Responses[strconv.Itoa(status)] = problemResponse(schemas, status)
	}
	return op
}
