package export

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"rnas/internal/tensor"
)

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
