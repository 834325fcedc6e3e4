package export

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"rnas/internal/tensor"
)

// tensorProto is a TensorProto whose data is not decoded yet.
type tensorProto struct {
	name string
	at   int
	dims []int64
	typ  tensor.DType
	raw  *field
	data map[protowire.Number][]field // the typed data fields

	elsewhere bool              // the data is in another file
	entries   map[string]string // of external_data
}

// decodeTensor decodes a TensorProto. No memory is set aside for elements that the file does not hold.
// Data in other files is not read.
func decodeTensor(s span) (*tensor.Tensor, error) {
	d := &decoder{memory: newMemory(int64(len(s.b))), external: &external{}}
	return d.tensor(s)
}

func (d *decoder) tensor(s span) (*tensor.Tensor, error) {
	p := &tensorProto{at: s.at, data: map[protowire.Number][]field{}}
	err := s.each(p.field)
	if err == nil {
		var t *tensor.Tensor
		if t, err = p.tensor(d); err == nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("tensor %q: %w", p.name, err)
}

func (p *tensorProto) field(f field) error {
	switch f.num {
	case tensorDims:
		return f.varints(func(v uint64) { p.dims = append(p.dims, int64(v)) })
	case tensorType:
		var t int64
		if err := f.toInt(&t); err != nil {
			return err
		}
		if t < 0 || t > math.MaxUint8 || !tensor.DType(t).Known() {
			return f.errorf("element type %d is not supported", t)
		}
		p.typ = tensor.DType(t)
	case tensorName:
		return f.toString(&p.name)
	case tensorRaw:
		p.raw = &f
		return f.want(protowire.BytesType)
	case tensorFloats, tensorInt32s, tensorStrings, tensorInt64s, tensorDoubles, tensorUint64s:
		p.data[f.num] = append(p.data[f.num], f)
	case tensorSegment:
		return f.errorf("tensors in segments are not supported")
	case tensorLocation:
		p.elsewhere = f.n != 0
	case tensorExternal:
		key, value, err := decodeEntry(f)
		if p.entries == nil {
			p.entries = map[string]string{}
		}
		p.entries[key] = value
		return err
	}
	return nil
}

func (p *tensorProto) tensor(d *decoder) (*tensor.Tensor, error) {
	if p.typ == tensor.Undefined {
		return nil, fmt.Errorf("byte %d: no element type", p.at)
	}
	n, err := tensor.Numel(p.dims)
	if err != nil {
		return nil, fmt.Errorf("byte %d: %w", p.at, err)
	}
	switch {
	case p.elsewhere:
		return p.fromFile(n, d)
	case p.raw != nil:
		return p.fromContent(p.raw.b, p.raw.at, d)
	case p.typ.Bits() > 0 && p.typ.Bits() < 8:
		return p.fromPacked(d)
	}
	return p.fromTyped(n, d)
}

// fromFile reads raw data from another file.
func (p *tensorProto) fromFile(n int, d *decoder) (*tensor.Tensor, error) {
	wrap := func(err error) error { return fmt.Errorf("byte %d: %w", p.at, err) }
	bits := p.typ.Bits()
	if bits == 0 {
		return nil, wrap(fmt.Errorf("external data: %s has no raw form", p.typ))
	}
	if int64(n) > math.MaxInt64/int64(bits)-8 {
		return nil, wrap(fmt.Errorf("external data: %s%v has too many elements", p.typ, p.dims))
	}
	size := (int64(n)*int64(bits) + 7) / 8
	l, err := newLocation(p.entries)
	if err == nil {
		err = d.external.check(l, size, d.memory)
	}
	if err == nil {
		err = d.memory.take(size)
	}
	if err != nil {
		return nil, wrap(err)
	}
	if bits < 8 || p.typ == tensor.Bool {
		content := make([]byte, size)
		if err := d.external.read(l, content, d.memory); err != nil {
			return nil, wrap(err)
		}
		return p.fromContent(content, p.at, d)
	}
	t := tensor.Zeros(p.typ, p.dims...)
	if err := d.external.read(l, tensor.Bytes(t), d.memory); err != nil {
		return nil, wrap(err)
	}
	return t, nil
}

// fromContent makes a tensor of the raw form.
func (p *tensorProto) fromContent(content []byte, at int, d *decoder) (*tensor.Tensor, error) {
	size := int64(len(content))
	if bits := p.typ.Bits(); bits > 0 && bits < 8 {
		size *= int64(8 / bits)
	}
	err := d.memory.take(size)
	var t *tensor.Tensor
	if err == nil {
		t, err = tensor.Unpack(p.typ, p.dims, content)
	}
	if err != nil {
		return nil, fmt.Errorf("byte %d: %w", at, err)
	}
	return t, nil
}

// ReadTensor decodes an ONNX TensorProto, the content of the data files of ONNX's own test cases. Data in other files
// is an error.
func ReadTensor(data []byte) (*tensor.Tensor, error) {
	t, err := decodeTensor(span{data, 0})
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return t, nil
}
