package loop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"rnas/export/checkpoint"
	"rnas/runtime/ort"
)

// A checkpoint is a safetensors file of all states, with the configuration, the position and the sums of the epoch as
// free text.
const checkpointFormat = "rnas-checkpoint"

// position is how far a run is. Step is the next one; Epoch counts those that are in the log.
type position struct {
	Epoch   int     `json:"epoch"`
	Step    int     `json:"step"`
	Seconds float64 `json:"seconds"` // spent on the epoch so far
}

// save writes a checkpoint. States that are not finite are an ErrDiverged, and the file stays what it was.
func save(path string, config []byte, at position, sums any, st *ort.Store) error {
	var tensors []checkpoint.Tensor
	for _, name := range st.Names() {
		t := st.Get(name)
		if i := slices.IndexFunc(t.Float32s(), notFinite); i >= 0 {
			return fmt.Errorf("%w: epoch %d, step %d: %s holds %v", ErrDiverged, at.Epoch+1, at.Step, name, t.Float32s()[i])
		}
		tensors = append(tensors, checkpoint.Tensor{Name: name, Tensor: t})
	}
	where, err := json.Marshal(at)
	if err != nil {
		return err
	}
	running, err := json.Marshal(sums)
	if err != nil {
		return err
	}
	return checkpoint.WriteSafetensors(path, tensors, map[string]string{
		"format": checkpointFormat, "config": string(config), "position": string(where), "sums": string(running),
	})
}

func notFinite(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }

// restore reads a checkpoint into the states and sums. Without a file the position is the beginning and found is false.
func restore(path string, config []byte, sums any, st *ort.Store) (at position, found bool, err error) {
	tensors, meta, err := checkpoint.ReadSafetensors(path)
	if errors.Is(err, fs.ErrNotExist) {
		return at, false, nil
	}
	if err != nil {
		return at, false, err
	}
	fail := func(format string, args ...any) (position, bool, error) {
		return position{}, false, fmt.Errorf("%s: %w", path, fmt.Errorf(format, args...))
	}
	if meta["format"] != checkpointFormat {
		return fail("expected a checkpoint of format %s, found %q", checkpointFormat, meta["format"])
	}
	differences, err := Differ([]byte(meta["config"]), config)
	if err != nil {
		return fail("configuration: %w", err)
	}
	if len(differences) > 0 {
		return fail("the checkpoint is of another configuration: %s", strings.Join(differences, "; "))
	}
	if err := json.Unmarshal([]byte(meta["position"]), &at); err != nil {
		return fail("position: %w", err)
	}
	if at.Epoch < 0 || at.Step < 0 || !(at.Seconds >= 0) {
		return fail("position: expected numbers of at least 0, found %+v", at)
	}
	if err := json.Unmarshal([]byte(meta["sums"]), sums); err != nil {
		return fail("sums: %w", err)
	}
	var names []string
	for _, t := range tensors {
		names = append(names, t.Name)
	}
	if want := st.Names(); !slices.Equal(names, want) {
		return fail("expected states %q, found %q", want, names)
	}
	for _, t := range tensors {
		if err := st.Set(t.Name, t.Tensor); err != nil {
			return fail("%w", err)
		}
	}
	return at, true, nil
}

// Differ lists the places in which two JSON documents differ, in alphabetical order.
func Differ(was, is []byte) ([]string, error) {
	a, err := leaves(was)
	if err != nil {
		return nil, err
	}
	b, err := leaves(is)
	if err != nil {
		return nil, err
	}
	var out []string
	for place, v := range a {
		if w, ok := b[place]; !ok || v != w {
			out = append(out, fmt.Sprintf("%s was %s, is %s", place, v, missing(w)))
		}
	}
	for place, w := range b {
		if _, ok := a[place]; !ok {
			out = append(out, fmt.Sprintf("%s was %s, is %s", place, missing(""), w))
		}
	}
	slices.Sort(out)
	return out, nil
}

func missing(v string) string {
	if v == "" {
		return "not given"
	}
	return v
}

// leaves maps the path of every value of a JSON document that is not an object to its text.
func leaves(doc []byte) (map[string]string, error) {
	out := map[string]string{}
	var walk func(path string, raw json.RawMessage) error
	walk = func(path string, raw json.RawMessage) error {
		if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
			out[path] = string(raw)
			return nil
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(raw, &object); err != nil {
			return err
		}
		for key, value := range object {
			if err := walk(strings.TrimPrefix(path+"."+key, "."), value); err != nil {
				return err
			}
		}
		return nil
	}
	return out, walk("", doc)
}
