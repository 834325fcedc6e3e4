package train

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/export/checkpoint"
	"rnas/internal/tensor"
)

// weightsFormat marks files of weights.
const weightsFormat = "rnas"

// auxiliary and batchCount are parameters that evaluation does not read.
const (
	auxiliary  = "auxiliary_head."
	batchCount = ".num_batches_tracked"
)

// Weights is a trained network: parameters and statistics as the flat vectors of a layout.
type Weights struct {
	Network       lower.Evaluation
	Classes       []string // names
	Layout        *program.Layout
	Params, Stats []float32
	Record        string // how it was trained, a JSON object
}

// trainingRecord is the configuration and the result.
func trainingRecord(id identity, accuracy float64) (string, error) {
	r := struct {
		identity
		ValAccuracy *float64 `json:"val_accuracy,omitempty"`
	}{identity: id}
	if accuracy >= 0 {
		r.ValAccuracy = &accuracy
	}
	data, err := json.Marshal(r)
	return string(data), err
}

// Save writes a safetensors file: tensors under their public DARTS names, the network and its training as free text.
func (w *Weights) Save(path string) error {
	var tensors []checkpoint.Tensor
	for _, s := range slices.Concat(w.Layout.Params, w.Layout.Stats) {
		tensors = append(tensors, checkpoint.Tensor{Name: s.Name, Tensor: w.Layout.Tensor(s, w.Params, w.Stats)})
	}
	slices.SortFunc(tensors, func(a, b checkpoint.Tensor) int { return cmp.Compare(a.Name, b.Name) })
	network, err := json.Marshal(w.Network)
	if err != nil {
		return err
	}
	classes, err := json.Marshal(w.Classes)
	if err != nil {
		return err
	}
	n := w.Network
	return checkpoint.WriteSafetensors(path, tensors, map[string]string{
		MetaFormat: weightsFormat, MetaNetwork: string(network), MetaClasses: string(classes), MetaTraining: w.Record,
		MetaGenotype: n.Genotype.String(), "channels": strconv.Itoa(n.Channels), "layers": strconv.Itoa(n.Layers),
		"classes": strconv.Itoa(n.Classes), "aux": strconv.FormatBool(n.Aux),
		MetaMean: fmt.Sprint(n.Mean), MetaStd: fmt.Sprint(n.Std),
	})
}

// Load reads a file that Save wrote, with the network that is described in it.
func Load(path string) (*Weights, error) {
	return LoadAs(path, func(n lower.Evaluation, described bool) (lower.Evaluation, error) {
		if !described {
			return n, fmt.Errorf("%s: the file does not describe its network: expected one that a training wrote", path)
		}
		return n, nil
	})
}

// LoadWeights reads a file of weights, safetensors or a PyTorch checkpoint, into the flat vectors of a layout, for evaluation.
func LoadWeights(path string, l *program.Layout) (params, stats []float32, err error) {
	tensors, _, err := checkpoint.Read(path)
	if err != nil {
		return nil, nil, err
	}
	if params, stats, err = Place(tensors, l); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return params, stats, nil
}

// wrappers are prefixes that PyTorch's DataParallel and compile give every name.
var wrappers = []string{"module.", "_orig_mod."}

// unwrapped is a name without the prefixes of wrappers.
func unwrapped(name string) string {
	for {
		before := name
		for _, w := range wrappers {
			name = strings.TrimPrefix(name, w)
		}
		if name == before {
			return name
		}
	}
}

// Place puts tensors under their public DARTS names, with or without the prefixes of wrappers, into the flat vectors of
// a layout. Counts of batches are ignored. Parameters of the auxiliary head may be missing, then they are zero, or
// superfluous: evaluation does not read them. All other differences are errors that name the tensors.
func Place(tensors []checkpoint.Tensor, l *program.Layout) (params, stats []float32, err error) {
	given := map[string]*tensor.Tensor{}
	var unknown, missing, misshapen []string
	for _, t := range tensors {
		name := unwrapped(t.Name)
		slot := l.Slot(name)
		switch {
		case strings.HasSuffix(name, batchCount):
			continue
		case slot == nil && strings.HasPrefix(name, auxiliary):
			continue
		case slot == nil:
			unknown = append(unknown, t.Name)
			continue
		case given[name] != nil:
			return nil, nil, fmt.Errorf("parameter %s is given twice", name)
		case t.Tensor.DType() == tensor.String || t.Tensor.DType() == tensor.Bool:
			return nil, nil, fmt.Errorf("parameter %s: expected numbers, found %s", name, t.Tensor.DType())
		case !slices.Equal(t.Tensor.Shape, slot.Shape):
			misshapen = append(misshapen, fmt.Sprintf("%s (expected %v, found %v)", name, slot.Shape, t.Tensor.Shape))
		}
		given[name] = t.Tensor
	}
	slots := slices.Concat(l.Params, l.Stats)
	for _, s := range slots {
		if given[s.Name] == nil && !strings.HasPrefix(s.Name, auxiliary) {
			missing = append(missing, s.Name)
		}
	}
	var faults []string
	for _, f := range []struct {
		kind  string
		names []string
	}{{"missing", missing}, {"unknown", unknown}, {"of another shape", misshapen}} {
		if len(f.names) > 0 {
			faults = append(faults, f.kind+" "+list(f.names))
		}
	}
	if len(faults) > 0 {
		return nil, nil, fmt.Errorf("the weights are those of another network: %s", strings.Join(faults, "; "))
	}
	params, stats = make([]float32, l.ParamLen), make([]float32, l.StatLen)
	for _, s := range slots {
		t := given[s.Name]
		if t == nil {
			continue
		}
		to := l.Tensor(s, params, stats).Float32s()
		for i := range to {
			to[i] = float32(t.Float64At(i))
		}
	}
	return params, stats, nil
}

// list shows the first of some names, in the order of the alphabet.
func list(names []string) string {
	const most = 5
	slices.Sort(names)
	if n := len(names); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names, ", ")
}
