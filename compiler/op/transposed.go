package op

import (
	"fmt"

	"rnas/compiler/ir"
)

// TransposedWindow reads the geometry of a ConvTranspose node for the static spatial sizes of its input, and the spatial sizes of
// its output. auto_pad and output_shape are resolved. Where the output exceeds what input, kernel and pads reach, the rest at the
// end is bias only.
func TransposedWindow(n *ir.Node, kernel, spatial []int64) (Window, []int64, error) {
	explicit := *n
	explicit.Attrs = ir.Attrs{}
	for _, name := range n.Attrs.Names() {
		if name != "auto_pad" {
			explicit.Attrs[name] = n.Attrs[name]
		}
	}
	w, err := WindowOf(&explicit, kernel, spatial)
	if err != nil {
		return w, nil, err
	}
	k := len(kernel)
	extra, want := n.Ints("output_padding", fill(k, 0)), n.Ints("output_shape", nil)
	if len(want) > k {
		want = want[len(want)-k:] // some files give all dimensions
	}
	if len(extra) != k || want != nil && len(want) != k {
		return w, nil, fmt.Errorf("output_padding %v and output_shape %v do not fit %d spatial axes", extra, want, k)
	}
	auto := n.Str("auto_pad", "NOTSET")
	switch auto {
	case "NOTSET", "":
	case "VALID":
		w.Pads = fill(2*k, 0)
	case "SAME_UPPER", "SAME_LOWER":
		if want == nil {
			want = make([]int64, k)
			for i, d := range spatial {
				want[i] = d * w.Strides[i]
			}
		}
	default:
		return w, nil, fmt.Errorf("attribute auto_pad: %q is not known", auto)
	}
	out := make([]int64, k)
	if want != nil {
		w.Pads = make([]int64, 2*k)
	}
	for i, d := range spatial {
		if extra[i] < 0 {
			return w, nil, fmt.Errorf("output_padding %v must not be negative", extra)
		}
		full := (d-1)*w.Strides[i] + w.extent(i) + extra[i]
		if want != nil {
			total := max(full-want[i], 0)
			w.Pads[i], w.Pads[k+i] = total-total/2, total/2
			if auto == "SAME_UPPER" {
				w.Pads[i], w.Pads[k+i] = total/2, total-total/2
			}
			out[i] = want[i]
			continue
		}
		if out[i] = full - w.Pads[i] - w.Pads[k+i]; out[i] < 0 {
			return w, nil, fmt.Errorf("pads %v remove more than the result has", w.Pads)
		}
	}
	return w, out, nil
}
