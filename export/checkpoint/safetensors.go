package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"rnas/internal/atomicfile"
	"rnas/internal/tensor"
)

// Tensor is a named tensor of a file.
type Tensor struct {
	Name   string
	Tensor *tensor.Tensor
}

// safetensors files hold an unsigned 64-bit header length, a JSON header and the data of the tensors without gaps, all
// little-endian (https://huggingface.co/docs/safetensors, section Format).
const (
	maxHeader   = 100_000_000 // bytes, the limit of the reference implementation
	metadataKey = "__metadata__"
)

type dtypeName struct {
	name  string
	dtype tensor.DType
}

var dtypeNames = []dtypeName{
	{"F32", tensor.Float32},
	{"F64", tensor.Float64},
	{"F16", tensor.Float16},
	{"BF16", tensor.BFloat16},
	{"I64", tensor.Int64},
	{"I32", tensor.Int32},
	{"I16", tensor.Int16},
	{"I8", tensor.Int8},
	{"U64", tensor.Uint64},
	{"U32", tensor.Uint32},
	{"U16", tensor.Uint16},
	{"U8", tensor.Uint8},
	{"BOOL", tensor.Bool},
}

// entry describes one tensor in the header.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets []uint64 `json:"data_offsets"`
	name    string
}

// ReadSafetensors reads a safetensors file. It returns the tensors in the order of their data, and the free text. An
// error names the tensor whose description does not fit the file.
func ReadSafetensors(path string) ([]Tensor, map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	tensors, meta, err := decodeTensors(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: safetensors: %w", path, err)
	}
	return tensors, meta, nil
}

func decodeTensors(data []byte) ([]Tensor, map[string]string, error) {
	if len(data) < 8 {
		return nil, nil, fmt.Errorf("%d bytes: expected a header length of 8 bytes", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	data = data[8:]
	if n > maxHeader {
		return nil, nil, fmt.Errorf("header of %d bytes: expected at most %d", n, maxHeader)
	}
	if n > uint64(len(data)) {
		return nil, nil, fmt.Errorf("header of %d bytes: the file has %d left", n, len(data))
	}
	entries, meta, err := decodeHeader(data[:n])
	if err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	data = data[n:]
	// Empty tensors share their offset with the tensor behind them.
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Offsets[0], b.Offsets[0]), cmp.Compare(a.Offsets[1], b.Offsets[1]))
	})
	var out []Tensor
	end := uint64(0)
	for _, e := range entries {
		if e.Offsets[0] != end {
			return nil, nil, fmt.Errorf("tensor %q: data starts at %d, expected %d", e.name, e.Offsets[0], end)
		}
		if e.Offsets[1] < end || e.Offsets[1] > uint64(len(data)) {
			return nil, nil, fmt.Errorf("tensor %q: data from %d to %d of %d bytes", e.name, end, e.Offsets[1], len(data))
		}
		t, err := e.decode(data[end:e.Offsets[1]])
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", e.name, err)
		}
		out = append(out, Tensor{e.name, t})
		end = e.Offsets[1]
	}
	if end != uint64(len(data)) {
		return nil, nil, fmt.Errorf("%d bytes of data, tensors take %d", len(data), end)
	}
	return out, meta, nil
}

// decodeHeader reads the JSON object token by token: in a map, a name given twice would go unnoticed.
func decodeHeader(header []byte) ([]entry, map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(header))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fmt.Errorf("expected a JSON object")
	}
	var entries []entry
	meta := map[string]string{}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, nil, whole(err)
		}
		e := entry{name: t.(string)} // keys of objects are strings
		if seen[e.name] {
			return nil, nil, fmt.Errorf("tensor %q is given twice", e.name)
		}
		seen[e.name] = true
		if e.name == metadataKey {
			if err := d.Decode(&meta); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", metadataKey, err)
			}
			continue
		}
		if err := d.Decode(&e); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", e.name, err)
		}
		if e.Shape == nil || len(e.Offsets) != 2 {
			return nil, nil, fmt.Errorf("tensor %q: expected a shape and two data_offsets", e.name)
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, whole(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, fmt.Errorf("text behind the JSON object")
	}
	return entries, meta, nil
}

// whole turns the end of the input into an error about it.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (e *entry) decode(data []byte) (*tensor.Tensor, error) {
	i := slices.IndexFunc(dtypeNames, func(d dtypeName) bool { return d.name == e.DType })
	if i < 0 {
		return nil, fmt.Errorf("element type %q is not supported", e.DType)
	}
	dtype := dtypeNames[i].dtype
	n, err := tensor.Numel(e.Shape)
	if err != nil {
		return nil, err
	}
	if n*dtype.Size() != len(data) {
		return nil, fmt.Errorf("%s%v needs %d bytes, found %d", dtype, e.Shape, n*dtype.Size(), len(data))
	}
	t := tensor.Zeros(dtype, e.Shape...)
	if d, ok := t.Data.([]bool); ok {
		for i, b := range data {
			d[i] = b != 0
		}
		return t, nil
	}
	copy(tensor.Bytes(t), data)
	return t, nil
}

// WriteSafetensors writes a safetensors file, complete or not at all. Tensors stand in the given order, the free text
// is sorted by key. Spaces pad the header so that the data starts at a multiple of 8 bytes.
func WriteSafetensors(path string, tensors []Tensor, meta map[string]string) error {
	header, err := encodeHeader(tensors, meta)
	if err != nil {
		return fmt.Errorf("%s: safetensors: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, t := range tensors {
			if _, err := w.Write(tensor.Bytes(t.Tensor)); err != nil {
				return err
			}
		}
		return nil
	})
}

// encodeHeader is everything before the data.
func encodeHeader(tensors []Tensor, meta map[string]string) ([]byte, error) {
	out := append(make([]byte, 8), '{')
	member := func(key string, value any) error {
		if len(out) > 9 {
			out = append(out, ',')
		}
		k, err := json.Marshal(key)
		if err != nil {
			return err
		}
		v, err := json.Marshal(value)
		out = append(append(append(out, k...), ':'), v...)
		return err
	}
	if len(meta) > 0 {
		if err := member(metadataKey, meta); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{metadataKey: true}
	end := uint64(0)
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("the name %q is taken", t.Name)
		}
		seen[t.Name] = true
		i := slices.IndexFunc(dtypeNames, func(d dtypeName) bool { return d.dtype == t.Tensor.DType() })
		if i < 0 {
			return nil, fmt.Errorf("tensor %q: %s cannot be stored", t.Name, t.Tensor.DType())
		}
		e := entry{DType: dtypeNames[i].name, Shape: append([]int64{}, t.Tensor.Shape...), Offsets: []uint64{end, end}}
		end += uint64(t.Tensor.Len()) * uint64(t.Tensor.DType().Size())
		e.Offsets[1] = end
		if err := member(t.Name, e); err != nil {
			return nil, err
		}
	}
	out = append(out, '}')
	for len(out)%8 != 0 {
		out = append(out, ' ')
	}
	n := len(out) - 8
	if n > maxHeader {
		return nil, fmt.Errorf("header of %d bytes: expected at most %d", n, maxHeader)
	}
	binary.LittleEndian.PutUint64(out, uint64(n))
	return out, nil
}
