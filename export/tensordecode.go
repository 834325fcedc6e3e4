package export

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"rnas/internal/tensor"
)

// varints visits the numbers of a repeated varint field, packed or not.
func (f field) varints(visit func(uint64)) error {
	if f.typ == protowire.VarintType {
		visit(f.n)
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	for pos := 0; pos < len(f.b); {
		v, n := protowire.ConsumeVarint(f.b[pos:])
		if n < 0 {
			return fmt.Errorf("byte %d: %w", f.at+pos, protowire.ParseError(n))
		}
		visit(v)
		pos += n
	}
	return nil
}

// fixed32s visits the numbers of a repeated 32-bit field, packed or not.
func (f field) fixed32s(visit func(uint32)) error {
	if f.typ == protowire.Fixed32Type {
		visit(uint32(f.n))
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(f.b)%4 != 0 {
		return f.errorf("%d bytes are no list of 4-byte numbers", len(f.b))
	}
	for pos := 0; pos < len(f.b); pos += 4 {
		v, _ := protowire.ConsumeFixed32(f.b[pos:])
		visit(v)
	}
	return nil
}

// fixed64s visits the numbers of a repeated 64-bit field, packed or not.
func (f field) fixed64s(visit func(uint64)) error {
	if f.typ == protowire.Fixed64Type {
		visit(f.n)
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(f.b)%8 != 0 {
		return f.errorf("%d bytes are no list of 8-byte numbers", len(f.b))
	}
	for pos := 0; pos < len(f.b); pos += 8 {
		v, _ := protowire.ConsumeFixed64(f.b[pos:])
		visit(v)
	}
	return nil
}

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

// fromPacked reads elements of less than 8 bits, of which the typed field holds a byte full in each number.
func (p *tensorProto) fromPacked(d *decoder) (*tensor.Tensor, error) {
	var content []byte
	bad := 0
	err := numbers(tensorInt32s, p.data[tensorInt32s], func(v uint64) {
		if v > math.MaxUint8 {
			bad++
		}
		content = append(content, byte(v))
	})
	if err != nil {
		return nil, err
	}
	if bad > 0 {
		return nil, fmt.Errorf("byte %d: %d numbers of packed %s are no bytes", p.at, bad, p.typ)
	}
	return p.fromContent(content, p.at, d)
}

// fromTyped reads the data field that belongs to the element type.
func (p *tensorProto) fromTyped(n int, d *decoder) (*tensor.Tensor, error) {
	num := tensorInt32s
	switch p.typ {
	case tensor.Float32:
		num = tensorFloats
	case tensor.Float64:
		num = tensorDoubles
	case tensor.Int64:
		num = tensorInt64s
	case tensor.Uint32, tensor.Uint64:
		num = tensorUint64s
	case tensor.String:
		num = tensorStrings
	}
	fields := p.data[num]
	found := 0
	if err := numbers(num, fields, func(uint64) { found++ }); err != nil {
		return nil, err
	}
	if found != n {
		return nil, fmt.Errorf("byte %d: %s%v needs %d elements, found %d", p.at, p.typ, p.dims, n, found)
	}
	size := p.typ.Size()
	if p.typ == tensor.String {
		size = nameMemory
	}
	if err := d.memory.take(int64(n) * int64(size)); err != nil {
		return nil, err
	}
	t := tensor.Zeros(p.typ, p.dims...)
	if s, ok := t.Data.([]string); ok {
		for i, f := range fields {
			s[i] = string(f.b)
		}
		return t, nil
	}
	i, bad := 0, 0
	err := numbers(num, fields, func(v uint64) {
		if !store(t.Data, i, v) {
			bad++
		}
		i++
	})
	if err == nil && bad > 0 {
		err = fmt.Errorf("byte %d: %d elements are outside the range of %s", p.at, bad, p.typ)
	}
	return t, err
}

// numbers visits the elements of a typed data field; strings count as zeros.
func numbers(num protowire.Number, fields []field, visit func(uint64)) error {
	for _, f := range fields {
		var err error
		switch num {
		case tensorFloats:
			err = f.fixed32s(func(v uint32) { visit(uint64(v)) })
		case tensorDoubles:
			err = f.fixed64s(visit)
		case tensorStrings:
			err = f.want(protowire.BytesType)
			visit(0)
		default:
			err = f.varints(visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// store puts the number encoded as v into element i and reports whether it fits.
func store(data any, i int, v uint64) bool {
	x := int64(v)
	switch d := data.(type) {
	case []float32:
		d[i] = math.Float32frombits(uint32(v))
	case []float64:
		d[i] = math.Float64frombits(v)
	case []int64:
		d[i] = x
	case []uint64:
		d[i] = v
	case []uint32:
		d[i] = uint32(v)
		return uint64(d[i]) == v
	case []int32:
		d[i] = int32(x)
		return int64(d[i]) == x
	case []int16:
		d[i] = int16(x)
		return int64(d[i]) == x
	case []int8:
		d[i] = int8(x)
		return int64(d[i]) == x
	case []uint16:
		d[i] = uint16(x)
		return int64(d[i]) == x
	case []uint8:
		d[i] = uint8(x)
		return int64(d[i]) == x
	case []bool:
		d[i] = x != 0
	case []tensor.E4M3FN:
		return narrow(&d[i], v)
	case []tensor.E4M3FNUZ:
		return narrow(&d[i], v)
	case []tensor.E5M2:
		return narrow(&d[i], v)
	case []tensor.E5M2FNUZ:
		return narrow(&d[i], v)
	case []tensor.E8M0:
		return narrow(&d[i], v)
	case []tensor.Half:
		d[i] = tensor.Half(x)
		return int64(d[i]) == x
	case []tensor.BFloat:
		d[i] = tensor.BFloat(x)
		return int64(d[i]) == x
	}
	return true
}

// narrow stores a bit pattern of 8 bits.
func narrow[T ~uint8](dst *T, v uint64) bool {
	*dst = T(v)
	return uint64(*dst) == v
}
