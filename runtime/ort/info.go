package ort

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"rnas/internal/tensor"
)

// Info describes an input or output of a model.
type Info struct {
	Name  string
	DType tensor.DType
	// Shape has -1 for symbolic dimensions; it is nil and Ranked is false when the model does not say.
	Shape  []int64
	Ranked bool
}

// Static reports whether the shape is fully known.
func (i Info) Static() bool {
	for _, d := range i.Shape {
		if d < 0 {
			return false
		}
	}
	return i.Ranked
}

// String is "name float32[1,-1]".
func (i Info) String() string {
	if !i.Ranked {
		return fmt.Sprintf("%s %s[?]", i.Name, i.DType)
	}
	return fmt.Sprintf("%s %s%s", i.Name, i.DType, strings.ReplaceAll(fmt.Sprint(i.Shape), " ", ","))
}

// signature reads the names, types and shapes of a serialized ModelProto's inputs and outputs; inputs with an
// initializer of the same name are left out. The wrapper of the C API can only tell them from a second session with
// default options, which doubles the time to load; and it does not tell a scalar from a tensor of unknown rank.
// Field numbers: onnx.proto, messages ModelProto, GraphProto, ValueInfoProto, TypeProto and TensorShapeProto.
func signature(model []byte) (inputs, outputs []Info, err error) {
	graph, err := lastMessage(model, 7)
	if err != nil {
		return nil, nil, fmt.Errorf("not an ONNX model: %w", err)
	}
	if graph == nil {
		return nil, nil, fmt.Errorf("not an ONNX model: expected a graph, found none in %d bytes", len(model))
	}
	constants := map[string]bool{}
	err = messages(graph, func(field protowire.Number, body []byte) error {
		switch field {
		case 5: // initializer, a TensorProto with the name in field 8
			name, err := lastMessage(body, 8)
			constants[string(name)] = true
			return err
		case 11, 12:
			info, err := valueInfo(body)
			if field == 11 {
				inputs = append(inputs, info)
			} else {
				outputs = append(outputs, info)
			}
			return err
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("not an ONNX model: %w", err)
	}
	kept := inputs[:0]
	for _, in := range inputs {
		if !constants[in.Name] {
			kept = append(kept, in)
		}
	}
	return kept, outputs, nil
}

func valueInfo(body []byte) (Info, error) {
	name, err := lastMessage(body, 1)
	if err != nil {
		return Info{}, err
	}
	info := Info{Name: string(name)}
	typ, err := lastMessage(body, 2)
	if err != nil {
		return info, err
	}
	tensorType, err := lastMessage(typ, 1)
	if err != nil {
		return info, err
	}
	if tensorType == nil {
		return info, fmt.Errorf("%q: expected a tensor, found another type", info.Name)
	}
	elem, err := lastVarint(tensorType, 1)
	if err != nil {
		return info, err
	}
	if elem < 256 {
		info.DType = tensor.DType(elem)
	}
	if !info.DType.Known() {
		return info, fmt.Errorf("%q: element type %d not supported", info.Name, elem)
	}
	shape, err := lastMessage(tensorType, 2)
	if err != nil || shape == nil {
		return info, err
	}
	info.Ranked = true
	return info, messages(shape, func(field protowire.Number, dim []byte) error {
		if field != 1 {
			return nil
		}
		d := int64(-1)
		err := fields(dim, func(field protowire.Number, _ []byte, value uint64) error {
			if field == 1 {
				d = max(int64(value), -1)
			}
			return nil
		})
		info.Shape = append(info.Shape, d)
		return err
	})
}

// fields calls f for each varint field (body nil) and each length-delimited field of a message, in order.
func fields(message []byte, f func(field protowire.Number, body []byte, value uint64) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		var err error
		switch kind {
		case protowire.BytesType:
			var body []byte
			if body, n = protowire.ConsumeBytes(message); n >= 0 {
				err = f(field, body[:len(body):len(body)], 0)
			}
		case protowire.VarintType:
			var v uint64
			if v, n = protowire.ConsumeVarint(message); n >= 0 {
				err = f(field, nil, v)
			}
		default:
			n = protowire.ConsumeFieldValue(field, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err != nil {
			return err
		}
		message = message[n:]
	}
	return nil
}

func messages(message []byte, f func(field protowire.Number, body []byte) error) error {
	return fields(message, func(field protowire.Number, body []byte, _ uint64) error {
		if body == nil {
			return nil
		}
		return f(field, body)
	})
}

// lastMessage is the last length-delimited field of that number, nil when there is none.
func lastMessage(message []byte, number protowire.Number) (found []byte, err error) {
	err = messages(message, func(field protowire.Number, body []byte) error {
		if field == number {
			found = body
		}
		return nil
	})
	return found, err
}

func lastVarint(message []byte, number protowire.Number) (found uint64, err error) {
	err = fields(message, func(field protowire.Number, body []byte, value uint64) error {
		if field == number && body == nil {
			found = value
		}
		return nil
	})
	return found, err
}

// accepts checks a tensor against the declaration, and its element count against its own shape.
func (i Info) accepts(t *tensor.Tensor) error {
	if t == nil {
		return fmt.Errorf("expected %s, found nil", i)
	}
	if t.DType() != i.DType {
		return fmt.Errorf("expected %s, found %s", i.DType, t.DType())
	}
	if i.Ranked && !matches(i.Shape, t.Shape) {
		return fmt.Errorf("expected shape %v, found %v", i.Shape, t.Shape)
	}
	n, err := tensor.Numel(t.Shape)
	if err != nil {
		return err
	}
	size := i.DType.Size()
	if size == 0 {
		return fmt.Errorf("element type %s not supported", i.DType)
	}
	if have := len(tensor.Bytes(t)) / size; have != n {
		return fmt.Errorf("shape %v needs %d elements, found %d", t.Shape, n, have)
	}
	return nil
}

func matches(declared, actual []int64) bool {
	if len(declared) != len(actual) {
		return false
	}
	for k, d := range declared {
		if d >= 0 && d != actual[k] {
			return false
		}
	}
	return true
}
