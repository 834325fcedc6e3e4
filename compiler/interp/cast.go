package interp

import (
	"fmt"

	"rnas/internal/tensor"
)

func cast(c *call) ([]*array, error) { return c.convertTo(tensor.DType(c.Int("to", 0))) }

func castLike(c *call) ([]*array, error) { return c.convertTo(c.in[1].dtype) }

var roundModes = map[string]tensor.RoundMode{
	"up": tensor.RoundUp, "down": tensor.RoundDown, "nearest": tensor.RoundNearest,
}

// convertTo converts the first input by the rules of ONNX's Cast. Of floating-point types, only those of at most 8 bits are
// rounded to.
func (c *call) convertTo(to tensor.DType) ([]*array, error) {
	x := c.in[0]
	switch {
	case to == tensor.String:
		return nil, fmt.Errorf("strings are not supported")
	case to.IsSmall():
		mode, ok := roundModes[c.Str("round_mode", "up")]
		if !ok {
			return nil, fmt.Errorf("attribute round_mode: %q is not known", c.Str("round_mode", ""))
		}
		out, err := zeros(to, x.shape)
		if err != nil {
			return nil, err
		}
		for k := range out.f {
			out.f[k] = tensor.Round(to, x.float(k), c.Int("saturate", 1) != 0, mode)
		}
		return one(out), nil
	case to.IsFloat():
		out := x.toFloat().view(x.shape)
		out.dtype = to
		return one(out), nil
	case to == tensor.Bool:
		out, err := zeros(to, x.shape)
		if err != nil {
			return nil, err
		}
		for k := range out.i {
			out.i[k] = truth(x.float(k) != 0)
		}
		return one(out), nil
	}
	return one(x.toInt(to)), nil
}
