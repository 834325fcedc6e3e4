package export

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"rnas/compiler/ir"
)

func (d *decoder) value(s span) (*valueProto, error) {
	v := &valueProto{}
	if err := d.memory.take(valueMemory); err != nil {
		return nil, err
	}
	var typ []field
	err := s.each(func(f field) error {
		switch f.num {
		case valueName:
			return f.toString(&v.name)
		case valueType:
			typ = append(typ, f)
			return f.want(protowire.BytesType)
		}
		return nil
	})
	for _, f := range typ {
		if err != nil {
			break
		}
		err = d.valueType(v, f.span())
	}
	if err != nil {
		return nil, fmt.Errorf("value %q: %w", v.name, err)
	}
	return v, nil
}

func (d *decoder) valueType(v *valueProto, s span) error {
	return s.each(func(f field) error {
		if f.num > 9 || f.num == 6 { // 6 is the denotation, a comment
			return nil
		}
		if f.num != typeTensor {
			return f.errorf("only tensors are supported, found type field %d", f.num)
		}
		if err := f.want(protowire.BytesType); err != nil {
			return err
		}
		return f.span().each(func(f field) error {
			switch f.num {
			case typeElem:
				var t int64
				if err := f.toInt(&t); err != nil {
					return err
				}
				if t < 0 || t > math.MaxUint8 || t != 0 && !ir.DType(t).Known() {
					return f.errorf("element type %d is not supported", t)
				}
				v.typ = ir.DType(t)
			case typeShape:
				if err := f.want(protowire.BytesType); err != nil {
					return err
				}
				v.dims = []dimension{}
				return f.span().each(func(f field) error {
					if err := d.memory.take(nameMemory); err != nil {
						return err
					}
					return v.decodeDim(f)
				})
			}
			return nil
		})
	})
}

func (v *valueProto) decodeDim(f field) error {
	if f.num != shapeDim {
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	d := dimension{size: -1}
	err := f.span().each(func(f field) error {
		switch f.num {
		case dimensionSize:
			return f.toInt(&d.size)
		case dimensionName:
			return f.toString(&d.name)
		}
		return nil
	})
	v.dims = append(v.dims, d)
	return err
}
