package op

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
)

// interpolation is one axis of a Resize: output o is the sum over k of weights[o][k] times input at[o][k]. Outputs in
// outside have the extrapolation value instead.
type interpolation struct {
	axis    int
	in, out int64
	at      [][]int64
	weights [][]float64
	outside []bool
}

// resizing is a Resize node with its constants read.
type resizing struct {
	mode, nearest, coordinates string
	antialias, exclude         bool
	cubicA, extrapolation      float64
	axes                       []int64
	scales                     []float64 // of axes
	sizes                      []int64   // of axes
	roi                        []float64 // starts, then ends of axes; nil for all of the input
}

// constFloats is the content of a constant input; absent and empty inputs have length 0.
func constFloats(n *ir.Node, i int, what string) ([]float64, error) {
	v := n.Input(i)
	switch {
	case v == nil || v.Shape.Numel() == 0:
		return nil, nil
	case !v.IsConst():
		return nil, fmt.Errorf("%s must be constant", what)
	}
	return v.Const.Float64s(), nil
}

func resizingOf(n *ir.Node) (r resizing, err error) {
	r = resizing{
		mode: n.Str("mode", "nearest"), nearest: n.Str("nearest_mode", "round_prefer_floor"),
		coordinates: n.Str("coordinate_transformation_mode", "half_pixel"),
		antialias:   n.Int("antialias", 0) != 0, exclude: n.Int("exclude_outside", 0) != 0,
		cubicA: float64(n.Float("cubic_coeff_a", -0.75)), extrapolation: float64(n.Float("extrapolation_value", 0)),
	}
	x := n.In[0].Shape
	for i := range x {
		r.axes = append(r.axes, int64(i))
	}
	if axes := n.Ints("axes", nil); axes != nil {
		if _, err := Axes(axes, len(x)); err != nil {
			return r, err
		}
		r.axes = r.axes[:0]
		for _, a := range axes {
			r.axes = append(r.axes, (a+int64(len(x)))%int64(len(x)))
		}
	}
	if r.coordinates == "tf_crop_and_resize" {
		if r.roi, err = constFloats(n, 1, "roi"); err != nil {
			return r, err
		}
		if len(r.roi) != 2*len(r.axes) {
			return r, fmt.Errorf("roi: expected %d numbers, found %d", 2*len(r.axes), len(r.roi))
		}
	}
	if r.scales, err = constFloats(n, 2, "scales"); err != nil {
		return r, err
	}
	sizes, err := constFloats(n, 3, "sizes")
	if err != nil {
		return r, err
	}
	if (len(sizes) == 0) == (len(r.scales) == 0) || len(sizes)+len(r.scales) != len(r.axes) {
		return r, fmt.Errorf("expected either %d scales or as many sizes, found %d and %d", len(r.axes), len(r.scales), len(sizes))
	}
	return r, r.fit(x, sizes, n.Str("keep_aspect_ratio_policy", "stretch"))
}

// fit completes scales and sizes by each other.
func (r *resizing) fit(x ir.Shape, sizes []float64, policy string) error {
	r.sizes = make([]int64, len(r.axes))
	if len(sizes) > 0 {
		r.scales = make([]float64, len(r.axes))
	}
	common := math.NaN()
	for i, a := range r.axes {
		d := x[a]
		if len(sizes) > 0 {
			if d == ir.N {
				return fmt.Errorf("axis %d is symbolic, which sizes do not allow", a)
			}
			r.scales[i] = sizes[i] / float64(d)
			if math.IsNaN(common) || policy == "not_larger" && r.scales[i] < common || policy == "not_smaller" && r.scales[i] > common {
				common = r.scales[i]
			}
		}
		if !(r.scales[i] > 0) || math.IsInf(r.scales[i], 0) {
			return fmt.Errorf("scale %v of axis %d must be positive", r.scales[i], a)
		}
		if d == ir.N && r.scales[i] != 1 {
			return fmt.Errorf("axis %d is symbolic and cannot be scaled by %v", a, r.scales[i])
		}
		r.sizes[i] = d
		if d != ir.N {
			r.sizes[i] = truncated(float64(d) * r.scales[i])
		}
		if len(sizes) > 0 {
			r.sizes[i] = truncated(sizes[i])
		}
	}
	switch {
	case policy == "stretch" || len(sizes) == 0:
	case policy == "not_larger" || policy == "not_smaller":
		for i, a := range r.axes {
			r.scales[i], r.sizes[i] = common, truncated(common*float64(x[a])+0.5)
		}
	default:
		return fmt.Errorf("attribute keep_aspect_ratio_policy: %q is not known", policy)
	}
	return nil
}

// truncated is v as an integer, out of range where v is.
func truncated(v float64) int64 {
	if !(v < 1<<31) {
		return 1 << 31
	}
	return int64(v)
}

// interpolations are the axes of n along which anything changes.
func interpolations(n *ir.Node) ([]interpolation, resizing, error) {
	r, err := resizingOf(n)
	if err != nil {
		return nil, r, err
	}
	var out []interpolation
	for i, a := range r.axes {
		if r.scales[i] == 1 && (r.roi == nil || r.roi[i] == 0 && r.roi[len(r.axes)+i] == 1) {
			continue
		}
		p := interpolation{axis: int(a), in: n.In[0].Shape[a], out: r.sizes[i]}
		if p.in == ir.N {
			return nil, r, fmt.Errorf("axis %d is symbolic and cannot be cropped", a)
		}
		for o := range p.out {
			at, err := r.coordinate(i, float64(o), p.in, p.out)
			if err != nil {
				return nil, r, err
			}
			outside := r.coordinates == "tf_crop_and_resize" && (at < 0 || at > float64(p.in-1))
			ids, weights, err := r.taps(at, r.scales[i], p.in)
			if err != nil {
				return nil, r, err
			}
			p.at, p.weights, p.outside = append(p.at, ids), append(p.weights, weights), append(p.outside, outside)
		}
		out = append(out, p)
	}
	return out, r, nil
}

// coordinate is the place in the input, of in elements, of output o of axis number i.
func (r *resizing) coordinate(i int, o float64, in, out int64) (float64, error) {
	scale, last := r.scales[i], float64(in-1)
	width := scale * float64(in)
	switch r.coordinates {
	case "half_pixel":
		return (o+0.5)/scale - 0.5, nil
	case "half_pixel_symmetric":
		return float64(in)/2*(1-float64(out)/width) + (o+0.5)/scale - 0.5, nil
	case "pytorch_half_pixel":
		if width == 1 {
			return -0.5, nil
		}
		return (o+0.5)/scale - 0.5, nil
	case "align_corners":
		if width == 1 {
			return 0, nil
		}
		return o * last / (width - 1), nil
	case "asymmetric":
		return o / scale, nil
	case "tf_crop_and_resize":
		start, end := r.roi[i], r.roi[len(r.axes)+i]
		if width == 1 {
			return (start + end) / 2 * last, nil
		}
		return start*last + o*(end-start)*last/(width-1), nil
	}
	return 0, fmt.Errorf("attribute coordinate_transformation_mode: %q is not known", r.coordinates)
}

// taps are the input elements that contribute at a place, and their weights.
func (r *resizing) taps(at, scale float64, in int64) ([]int64, []float64, error) {
	floor := math.Floor(at)
	ratio := at - floor
	if r.mode == "nearest" {
		up := ratio > 0
		switch r.nearest {
		case "round_prefer_floor":
			up = ratio > 0.5
		case "round_prefer_ceil":
			up = ratio >= 0.5
		case "floor":
			up = false
		case "ceil":
		default:
			return nil, nil, fmt.Errorf("attribute nearest_mode: %q is not known", r.nearest)
		}
		if up {
			floor++
		}
		return []int64{inside(floor, in)}, []float64{1}, nil
	}
	kernel, reach := triangle, 1.0
	switch r.mode {
	case "linear":
	case "cubic":
		kernel, reach = func(t float64) float64 { return keys(t, r.cubicA) }, 2
	default:
		return nil, nil, fmt.Errorf("attribute mode: %q is not known", r.mode)
	}
	shrink := 1.0
	if r.antialias {
		shrink = min(scale, 1)
	}
	start := math.Floor(-reach/shrink) + 1
	if start < -1<<20 {
		return nil, nil, fmt.Errorf("scale %v is too small for antialiasing", scale)
	}
	var ids []int64
	var weights []float64
	sum := 0.0
	for k := start; k <= 1-start; k++ {
		w := kernel((k - ratio) * shrink)
		if r.exclude && (floor+k < 0 || floor+k >= float64(in)) {
			w = 0
		}
		ids, weights = append(ids, inside(floor+k, in)), append(weights, w)
		sum += w
	}
	if sum != 0 {
		for k := range weights {
			weights[k] /= sum
		}
	}
	return ids, weights, nil
}

func inside(at float64, in int64) int64 { return int64(min(max(at, 0), float64(in-1))) }

func triangle(t float64) float64 { return max(1-math.Abs(t), 0) }

// keys is the cubic convolution kernel of Keys 1981, equation 4, with its free parameter a.
func keys(t, a float64) float64 {
	t = math.Abs(t)
	switch {
	case t <= 1:
		return ((a+2)*t-(a+3))*t*t + 1
	case t < 2:
		return ((a*t-5*a)*t+8*a)*t - 4*a
	}
	return 0
}
