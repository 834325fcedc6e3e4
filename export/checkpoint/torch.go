package checkpoint

import (
	"fmt"
	"strings"

	"rnas/internal/pickle"
	"rnas/internal/tensor"
)

// stateDepth is how deep in a checkpoint the parameters may stand.
const stateDepth = 3

// namedView is an entry of a dictionary of parameters.
type namedView struct {
	name string
	view *torchTensor
}

// stateDict finds the parameters in a checkpoint: the dictionary that has the most tensors under names, wherever it
// stands ("state_dict", "model", "net", ...), and of several equals the first. Other entries are ignored.
func stateDict(root any) ([]namedView, error) {
	if o, ok := root.(*pickle.Object); ok {
		root = o.State
	}
	d, ok := root.(*pickle.Dict)
	if !ok {
		if _, ok := root.(*torchTensor); ok {
			return nil, fmt.Errorf("expected a dictionary of tensors, found a tensor")
		}
		return nil, fmt.Errorf("expected a dictionary of tensors, found %s", pickle.Kind(root))
	}
	var best []namedView
	search := []*pickle.Dict{d}
	seen := map[*pickle.Dict]bool{d: true}
	for range stateDepth {
		var next []*pickle.Dict
		for _, d := range search {
			if found := tensorsOf(d); len(found) > len(best) {
				best = found
			}
			for _, p := range d.Pairs {
				if inner, ok := p.Value.(*pickle.Dict); ok && !seen[inner] {
					seen[inner] = true
					next = append(next, inner)
				}
			}
		}
		search = next
	}
	if len(best) == 0 {
		return nil, fmt.Errorf("no tensors under names: expected the parameters of a network, with keys such as %s", strings.Join(keys(d), ", "))
	}
	return best, nil
}

// tensorsOf lists the tensors of a dictionary; of a key that was set twice, the last value counts, at the first place.
func tensorsOf(d *pickle.Dict) []namedView {
	var out []namedView
	at := map[string]int{}
	for _, p := range d.Pairs {
		name, ok := p.Key.(string)
		view, also := p.Value.(*torchTensor)
		if !ok || !also {
			continue
		}
		if i, again := at[name]; again {
			out[i].view = view
			continue
		}
		at[name] = len(out)
		out = append(out, namedView{name, view})
	}
	return out
}

// tensors copies the views out of their storages, one storage in memory at a time; open returns the bytes of one.
func tensors(views []namedView, limit int64, open func(*torchStorage) ([]byte, error)) ([]Tensor, error) {
	need := int64(0)
	uses := map[*torchStorage][]int{}
	var order []*torchStorage
	for i, v := range views {
		if need += v.view.bytes(); need > limit {
			return nil, fmt.Errorf("the tensors take more than %d bytes: too many for the size of the file", limit)
		}
		s := v.view.storage
		if uses[s] == nil {
			order = append(order, s)
		}
		uses[s] = append(uses[s], i)
	}
	out := make([]Tensor, len(views))
	for _, s := range order {
		data, err := open(s)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", quoteName(views[uses[s][0]].name), err)
		}
		for _, i := range uses[s] {
			out[i] = Tensor{views[i].name, views[i].view.materialise(data)}
		}
	}
	return out, nil
}

// storageID is what both forms of checkpoints refer to a storage by: ("storage", class, key, device, size, ...).
func storageID(id any, fields int) (torchStorage, pickle.Tuple, error) {
	var s torchStorage
	t, ok := id.(pickle.Tuple)
	if !ok || len(t) < 1 || t[0] != "storage" {
		return s, nil, fmt.Errorf("expected a storage: a file of a whole module is not read, only of its parameters, torch.save(model.state_dict(), ...)")
	}
	if len(t) < fields {
		return s, nil, fmt.Errorf("storage: expected %d fields, found %d", fields, len(t))
	}
	class, ok := t[1].(torchType)
	if !ok {
		return s, nil, fmt.Errorf("storage: expected its class, found %s", pickle.Kind(t[1]))
	}
	s.dtype = class.dtype
	if s.key, ok = t[2].(string); !ok {
		return s, nil, fmt.Errorf("storage: expected a key, found %s", pickle.Kind(t[2]))
	}
	if s.size, ok = t[4].(int64); !ok || s.size < 0 {
		return s, nil, fmt.Errorf("storage %s: expected a size, found %s", quoteName(s.key), pickle.Kind(t[4]))
	}
	return s, t, nil
}

// bytes is the size of the storage in the file; ok is false if that is larger than most.
func (s *torchStorage) bytes(most int64) (n int64, ok bool) {
	size := int64(max(s.dtype.Size(), 1))
	return s.size * size, s.size <= most/size
}

// storages gives every key one storage.
type storages map[string]*torchStorage

func (all storages) intern(s torchStorage) (*torchStorage, error) {
	old, ok := all[s.key]
	if !ok {
		all[s.key] = &s
		return &s, nil
	}
	if *old != s {
		return nil, fmt.Errorf("storage %s: %d elements of %s, before %d of %s", quoteName(s.key), s.size, typeName(s.dtype), old.size, typeName(old.dtype))
	}
	return old, nil
}

func typeName(d tensor.DType) string {
	if d == untyped {
		return "bytes"
	}
	return d.String()
}

// keys lists the first names of a dictionary.
func keys(d *pickle.Dict) []string {
	const most = 5
	var out []string
	for _, p := range d.Pairs {
		if name, ok := p.Key.(string); ok && len(out) < most {
			out = append(out, quoteName(name))
		}
	}
	return out
}
