package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"rnas/internal/pickle"
	"rnas/internal/tensor"
)

// torchStorage is the memory behind tensors: where is the place of its data in the file, size its number of elements.
type torchStorage struct {
	key   string
	dtype tensor.DType
	size  int64
}

// torchTensor is a strided view of a storage; offset and strides count elements.
type torchTensor struct {
	storage       *torchStorage
	dtype         tensor.DType
	offset        int64
	shape, stride []int64
}

// torchType is an element type, or a class of storages that have it.
type torchType struct{ dtype tensor.DType }

// untyped is the element type of storages that are counted in bytes.
const untyped = tensor.Undefined

var torchTypes = map[string]torchType{
	"torch.FloatStorage": {tensor.Float32}, "torch.float32": {tensor.Float32},
	"torch.DoubleStorage": {tensor.Float64}, "torch.float64": {tensor.Float64},
	"torch.HalfStorage": {tensor.Float16}, "torch.float16": {tensor.Float16},
	"torch.BFloat16Storage": {tensor.BFloat16}, "torch.bfloat16": {tensor.BFloat16},
	"torch.LongStorage": {tensor.Int64}, "torch.int64": {tensor.Int64},
	"torch.IntStorage": {tensor.Int32}, "torch.int32": {tensor.Int32},
	"torch.ShortStorage": {tensor.Int16}, "torch.int16": {tensor.Int16},
	"torch.CharStorage": {tensor.Int8}, "torch.int8": {tensor.Int8},
	"torch.ByteStorage": {tensor.Uint8}, "torch.uint8": {tensor.Uint8},
	"torch.BoolStorage": {tensor.Bool}, "torch.bool": {tensor.Bool},
	"torch.uint16": {tensor.Uint16}, "torch.uint32": {tensor.Uint32}, "torch.uint64": {tensor.Uint64},
	"torch.storage.UntypedStorage": {untyped}, "torch.UntypedStorage": {untyped},
}

var torchFunctions = map[string]pickle.Callable{
	"collections.OrderedDict":                    orderedDict,
	"collections.defaultdict":                    defaultDict,
	"torch._utils._rebuild_tensor":               rebuildTensor,
	"torch._utils._rebuild_tensor_v2":            rebuildTensor,
	"torch._utils._rebuild_tensor_v3":            rebuildTensor,
	"torch._utils._rebuild_parameter":            rebuildParameter,
	"torch._tensor._rebuild_from_type_v2":        rebuildFromType,
	"torch._utils._rebuild_parameter_with_state": rebuildParameter,
}

// torchRecords are classes and functions whose results stand beside the parameters in checkpoints of trainings: options,
// accuracies, counters. They are kept as data that no one reads.
var torchRecords = []string{
	"argparse.Namespace", "collections.Counter", "pathlib.PosixPath", "pathlib.PurePosixPath",
	"torch.Size", "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter",
	"numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
	"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
	"_codecs.encode", "builtins.set", "builtins.dict", "builtins.list", "builtins.int", "builtins.float", "builtins.str",
	"builtins.bytearray", "__builtin__.set", "__builtin__.dict", "__builtin__.list", "__builtin__.int", "__builtin__.bytearray",
	"types.SimpleNamespace",
}

// findTorch is the list of the names that a checkpoint may use.
func findTorch(module, name string) (any, error) {
	full := module + "." + name
	if t, ok := torchTypes[full]; ok {
		return t, nil
	}
	if f, ok := torchFunctions[full]; ok {
		return f, nil
	}
	if slices.Contains(torchRecords, full) {
		return pickle.Record(full), nil
	}
	return nil, fmt.Errorf("%s is not read from checkpoints: expected the parameters alone, torch.save(model.state_dict(), ...)", quoteName(full))
}

// quoteName keeps a name of the file short enough for an error of one line.
func quoteName(s string) string {
	const most = 100
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}

// defaultDict drops the function that makes missing values.
func defaultDict(*pickle.Limit, pickle.Tuple) (any, error) { return &pickle.Dict{}, nil }

func orderedDict(l *pickle.Limit, args pickle.Tuple) (any, error) {
	d := &pickle.Dict{}
	if len(args) == 0 {
		return d, nil
	}
	items, ok := args[0].(*pickle.List)
	if !ok || len(args) > 1 {
		return nil, fmt.Errorf("OrderedDict: expected no argument or a list of pairs")
	}
	if err := l.Charge(64 * int64(len(items.Items))); err != nil {
		return nil, err
	}
	for _, item := range items.Items {
		var pair []any
		switch item := item.(type) {
		case pickle.Tuple:
			pair = item
		case *pickle.List:
			pair = item.Items
		}
		if len(pair) != 2 {
			return nil, fmt.Errorf("OrderedDict: expected pairs, found %s", pickle.Kind(item))
		}
		d.Pairs = append(d.Pairs, pickle.Pair{Key: pair[0], Value: pair[1]})
	}
	return d, nil
}

// maxRank is the largest number of dimensions that PyTorch gives a tensor.
const maxRank = 64

// rebuildTensor is torch._utils._rebuild_tensor and its versions: storage, offset, shape, strides, and from the second
// version on whether a gradient is required and hooks; the third version ends with the element type.
func rebuildTensor(l *pickle.Limit, args pickle.Tuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("tensor: expected a storage, an offset, a shape and strides, found %d arguments", len(args))
	}
	s, ok := args[0].(*torchStorage)
	if !ok {
		return nil, fmt.Errorf("tensor: expected a storage, found %s", pickle.Kind(args[0]))
	}
	t := &torchTensor{storage: s, dtype: s.dtype}
	if t.offset, ok = args[1].(int64); !ok {
		return nil, fmt.Errorf("tensor: expected an offset, found %s", pickle.Kind(args[1]))
	}
	var err error
	if t.shape, err = sizes(args[2]); err != nil {
		return nil, fmt.Errorf("tensor: shape: %w", err)
	}
	if t.stride, err = sizes(args[3]); err != nil {
		return nil, fmt.Errorf("tensor: strides: %w", err)
	}
	if s.dtype == untyped {
		if len(args) < 7 {
			return nil, fmt.Errorf("tensor: expected an element type for a storage of bytes")
		}
		given, ok := args[6].(torchType)
		if !ok || given.dtype == untyped {
			return nil, fmt.Errorf("tensor: expected an element type, found %s", pickle.Kind(args[6]))
		}
		t.dtype = given.dtype
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("tensor: %w", err)
	}
	return t, l.Charge(16*int64(len(t.shape)) + 128)
}

// sizes reads a tuple of dimensions or strides.
func sizes(v any) ([]int64, error) {
	if o, ok := v.(*pickle.Object); ok && o.Class == "torch.Size" && len(o.Args) == 1 {
		v = o.Args[0]
	}
	items, ok := v.(pickle.Tuple)
	if !ok || len(items) > maxRank {
		return nil, fmt.Errorf("expected a tuple of at most %d, found %s", maxRank, pickle.Kind(v))
	}
	out := make([]int64, len(items))
	for i, item := range items {
		if out[i], ok = item.(int64); !ok || out[i] < 0 {
			return nil, fmt.Errorf("expected numbers of at least 0, found %s", pickle.Kind(item))
		}
	}
	return out, nil
}

// rebuildParameter is torch._utils._rebuild_parameter: a tensor and what PyTorch hangs on it.
func rebuildParameter(_ *pickle.Limit, args pickle.Tuple) (any, error) {
	if len(args) > 0 {
		if t, ok := args[0].(*torchTensor); ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("parameter: expected a tensor")
}

// rebuildFromType is torch._tensor._rebuild_from_type_v2: a tensor with attributes, as the call that makes it, its class,
// the arguments and the attributes.
func rebuildFromType(l *pickle.Limit, args pickle.Tuple) (any, error) {
	if len(args) >= 3 {
		call, ok := args[0].(pickle.Callable)
		of, also := args[2].(pickle.Tuple)
		if ok && also && len(of) > 0 {
			if _, ok := of[0].(*torchStorage); ok {
				return call(l, of)
			}
		}
	}
	return nil, fmt.Errorf("tensor: expected the call that makes it")
}
