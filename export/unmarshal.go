package export

import (
	"errors"
	"fmt"
	"path/filepath"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// ReadOptions says what Unmarshal and ReadFile put in place of symbolic dimensions and inputs, and where the files with
// external data are.
type ReadOptions struct {
	Batch int64            // size for a symbolic first dimension of an input; 0 keeps it as ir.N
	Dims  map[string]int64 // sizes for dimension parameters, before Batch
	// Image holds sizes for the symbolic dimensions after the first of an input with one dimension more.
	Image []int64
	// Shapes replace the declared shapes of inputs, by name. Where the first dimension is ir.N, which the file has as 1 or not at all, what
	// the file reshapes for one image is reshaped for each of a batch (see reader.opens).
	Shapes map[string]ir.Shape
	Fixed  map[string]*tensor.Tensor // values of inputs, which become constants
	Infer  ir.InferFunc              // type and shape inference; nil means op.Infer, and that constants are computed
	Dir    string                    // folder of the files in which the model keeps its tensors; "" refuses such models
}

// ErrSymbolic marks the error for a model that cannot be read with a symbolic batch size but can be read with a given
// one.
var ErrSymbolic = errors.New("the model needs a batch size")

// ReadFile reads an ONNX file as Unmarshal does. Tensors outside the file are read from the folder of the file, unless
// o.Dir names another one. An error names the file.
func ReadFile(path string, o ReadOptions) (*ir.Graph, error) {
	data, err := Load(path)
	if err != nil {
		return nil, err
	}
	if o.Dir == "" {
		o.Dir = filepath.Dir(path)
	}
	g, err := Unmarshal(data, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// Unmarshal decodes an ONNX model of operator set 6 to 27 into a graph in the operator forms of operator set 18.
// Functions of the model are expanded. An If with a constant condition is replaced by the branch that it takes.
//
// Constant nodes and initializers become constants, and so do results computed from shapes and small constants. An
// initializer with the name of an input takes the place of that input. Nodes stand in topological order. A value keeps
// its name, and a node keeps its name unless another node has it. In nested graphs and functions a name changes if it
// is not unique in the model.
//
// Every dimension of an input must be a number once o.Dims, o.Batch and o.Image are applied, except the first, which
// may stay ir.N. An error names the byte offset, or the node and its operator, at fault. An error wraps ErrSymbolic if
// the model can be read with a given batch size only. Reading allocates at most 4 times the bytes of the files plus 64
// MiB.
func Unmarshal(data []byte, o ReadOptions) (*ir.Graph, error) {
	d := &decoder{memory: newMemory(int64(len(data))), external: &external{dir: o.Dir}}
	defer d.external.close()
	m, err := d.model(span{data, 0})
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	kept := *d.memory
	g, symbolic, err := read(d, m, o)
	if err != nil && symbolic {
		*d.memory = kept
		o.Batch = 1
		if _, _, fixed := read(d, m, o); fixed == nil {
			err = fmt.Errorf("%w: %w", ErrSymbolic, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("onnx: graph %s: %w", m.graph.name, err)
	}
	return g, nil
}

// read makes the graph; symbolic reports whether an input has a symbolic batch size, also beside an error.
func read(d *decoder, m *modelProto, o ReadOptions) (g *ir.Graph, symbolic bool, err error) {
	version, ok := m.opsets[""]
	if m.irVersion > 0 && m.irVersion < oldestIR {
		return nil, false, fmt.Errorf("IR version %d: expected %d or above", m.irVersion, oldestIR)
	}
	if !ok {
		return nil, false, fmt.Errorf("no version of the standard operator set is given")
	}
	if version < oldestRead || version > newestOpset {
		return nil, false, fmt.Errorf("operator set %d: expected %d to %d", version, oldestRead, newestOpset)
	}
	if o.Batch < 0 {
		return nil, false, fmt.Errorf("batch size %d is negative", o.Batch)
	}
	r := &reader{
		decoder: d, opset: int(version), infer: o.Infer, fixed: o.Fixed, batch: o.Batch, image: o.Image, shapes: o.Shapes, dims: map[string]int64{}, names: names{},
		work: foldWork,
	}
	if r.infer == nil {
		r.infer, r.folds = op.Infer, true
	}
	if r.batch == 0 {
		r.batch = ir.N
	}
	for _, name := range sortedKeys(o.Dims) {
		if o.Dims[name] < 0 {
			return nil, false, fmt.Errorf("dimension %q: size %d is negative", name, o.Dims[name])
		}
		r.dims[name] = o.Dims[name]
	}
	if err := r.functions(m.functions); err != nil {
		return nil, false, err
	}
	if g, err = r.graph(m.graph, nil, nil); err != nil {
		return nil, r.symbolic, err
	}
	g.Meta = m.meta
	if r.folds {
		prune(g)
	}
	g.Walk(func(n *ir.Node) {
		if n.Name == "" {
			n.Name = n.Op
		}
		n.Name = r.names.fresh(n.Name)
	})
	return g, r.symbolic, ir.Verify(g)
}

// reader turns decoded messages into graphs.
type reader struct {
	*decoder
	opset    int
	infer    ir.InferFunc
	folds    bool
	fixed    map[string]*tensor.Tensor
	batch    int64
	image    []int64
	shapes   map[string]ir.Shape
	dims     map[string]int64
	names    names // of values
	calls    map[functionKey]*functionProto
	depth    int   // of calls
	work     int64 // elements that folding may still touch
	symbolic bool  // an input has dimension ir.N
	// unbatched says that the file declares no batch where shapes have one.
	unbatched bool
}
