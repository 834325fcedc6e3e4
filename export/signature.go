package export

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"os"

	"rnas/compiler/ir"
)

// Signature is what a model file declares, without its nodes.
type Signature struct {
	Inputs  []Declared // those that no initializer gives a value
	Outputs []Declared
	Meta    map[string]string
}

// Declared is an input or output as the file declares it. Type is 0 and Dims nil where the file does not say; a symbolic dimension is ir.N.
type Declared struct {
	Name string
	Type ir.DType
	Dims ir.Shape
}

// String is text such as "input float32[N,3,32,32]".
func (d Declared) String() string {
	if d.Dims == nil {
		return fmt.Sprintf("%s %s[?]", d.Name, d.Type)
	}
	return fmt.Sprintf("%s %s%s", d.Name, d.Type, d.Dims)
}

// ReadSignature reads inputs, outputs and metadata of an ONNX model within the bounds of Unmarshal. An error names the byte offset.
func ReadSignature(data []byte) (Signature, error) {
	d := &decoder{memory: newMemory(int64(len(data))), external: &external{}}
	m, err := d.model(span{data, 0})
	if err != nil {
		return Signature{}, fmt.Errorf("onnx: %w", err)
	}
	constant := map[string]bool{}
	for _, i := range m.graph.initializers {
		constant[i.name] = true
	}
	for _, i := range m.graph.sparse {
		constant[i.name] = true
	}
	s := Signature{Meta: m.meta, Outputs: declared(m.graph.outputs, nil)}
	s.Inputs = declared(m.graph.inputs, constant)
	return s, nil
}

// declared describes values but those that are constant.
func declared(list []*valueProto, constant map[string]bool) []Declared {
	var out []Declared
	for _, p := range list {
		if constant[p.name] {
			continue
		}
		d := Declared{Name: p.name, Type: p.typ}
		if p.dims != nil {
			d.Dims = ir.Shape{}
		}
		for _, dim := range p.dims {
			d.Dims = append(d.Dims, max(dim.size, ir.N))
		}
		out = append(out, d)
	}
	return out
}

// Load reads the bytes of an ONNX file, which may be compressed by gzip. An ONNX file has less than 2 GiB. Errors name the file.
func Load(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: expected a regular file", path)
	}
	if info.Size() > math.MaxInt32 {
		return nil, fmt.Errorf("%s: %d bytes: an ONNX file holds less than 2 GiB", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, err
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(r, math.MaxInt32+1))
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case len(data) > math.MaxInt32:
		return nil, fmt.Errorf("%s: an ONNX file holds less than 2 GiB, found more after decompression", path)
	}
	return data, nil
}
