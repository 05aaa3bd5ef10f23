package topology

import (
	"reflect"
	"strings"
)

// Attribute structs (BridgeAttributes, PortAttributes) are all pointers, nil
// for "not asked for". The three functions here treat every field alike.

func ptr[T any](v T) *T { return &v }

// defaultBridge is what a fresh bridge has (br_dev_setup and br_stp_init_port
// in net/bridge; times are the kernel's 300, 15, 2 and 20 s).
var defaultBridge = BridgeAttributes{
	STP: ptr(false), AgeingSeconds: ptr(300), ForwardDelaySeconds: ptr(15), HelloSeconds: ptr(2),
	MaxAgeSeconds: ptr(20), Priority: ptr(32768), MulticastSnooping: ptr(true), VLANFiltering: ptr(false),
}

// defaultPort is what a veth has when it becomes a port (new_nbp in
// net/bridge/br_if.c); a cost of 2 belongs to veth's nominal 10 Gbit/s.
var defaultPort = PortAttributes{
	Cost: ptr(2), Priority: ptr(32), Hairpin: ptr(false), Guard: ptr(false), RootBlock: ptr(false), FastLeave: ptr(false),
	Learning: ptr(true), Flood: ptr(true), MulticastFlood: ptr(true), BroadcastFlood: ptr(true), Isolated: ptr(false),
}

// merge copies the fields of from that are present into to.
func merge[T any](to *T, from T) {
	t, f := reflect.ValueOf(to).Elem(), reflect.ValueOf(from)
	for i := range f.NumField() {
		if !f.Field(i).IsNil() {
			t.Field(i).Set(f.Field(i))
		}
	}
}

// changed gives the settings that lead from one set to the other, and whether
// there are any. A field that is absent in both is left alone; one that is
// absent in a single one has its default there.
func changed[T comparable](from, to, defaults T) (T, bool) {
	var out T
	if from == out && to == out { // nothing asked for, which is usual
		return out, false
	}
	o, f, t, d := reflect.ValueOf(&out).Elem(), reflect.ValueOf(from), reflect.ValueOf(to), reflect.ValueOf(defaults)
	differ := false
	for i := range t.NumField() {
		have, want := f.Field(i), t.Field(i)
		if have.IsNil() && want.IsNil() {
			continue
		}
		if have.IsNil() {
			have = d.Field(i)
		}
		if want.IsNil() {
			want = d.Field(i)
		}
		if !have.Elem().Equal(want.Elem()) {
			o.Field(i).Set(want)
			differ = true
		}
	}
	return out, differ
}

// project keeps those fields of v that are present in one of the masks: what
// nobody asked for is nobody's difference.
func project[T comparable](v T, masks ...T) T {
	var none, out T
	o, x := reflect.ValueOf(&out).Elem(), reflect.ValueOf(v)
	for _, m := range masks {
		if m == none {
			continue
		}
		for i := range x.NumField() {
			if !reflect.ValueOf(m).Field(i).IsNil() {
				o.Field(i).Set(x.Field(i))
			}
		}
	}
	return out
}

// fields lists the JSON names and values of the present fields.
func fields(v any) map[string]any {
	out := map[string]any{}
	x := reflect.ValueOf(v)
	for i := range x.NumField() {
		if f := x.Field(i); !f.IsNil() {
			out[jsonName(x.Type().Field(i))] = f.Elem().Interface()
		}
	}
	return out
}

// clearField makes the field of that JSON name absent.
func clearField[T any](v *T, name string) {
	x := reflect.ValueOf(v).Elem()
	for i := range x.NumField() {
		if jsonName(x.Type().Field(i)) == name {
			x.Field(i).SetZero()
		}
	}
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
