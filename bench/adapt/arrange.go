package adapt

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/export"
)

// arrangement is how a model takes images.
type arrangement struct {
	image []int64  // C, H, W
	last  bool     // the channels are the last dimension of an image, or vary fastest in a flattened one
	batch int64    // declared number of images; ir.N for an open one, 0 for an input without that dimension
	rest  ir.Shape // shape of one image
}

// words says how the images are arranged, "" for [N,C,H,W].
func (a arrangement) words() string {
	c, h, w := a.image[0], a.image[1], a.image[2]
	switch {
	case a.rest.Equal(a.image) && !a.last:
		return ""
	case a.rest.Equal([]int64{h, w, c}) && a.last:
		return fmt.Sprintf("channels last: images %s become %s", ir.Shape(a.image), a.rest)
	case a.last:
		return fmt.Sprintf("channels last and reshaped: images %s become %s", ir.Shape(a.image), a.rest)
	}
	return fmt.Sprintf("reshaped: images %s become %s", ir.Shape(a.image), a.rest)
}

// input is the shape of the input for a batch: ir.N or a number.
func (a arrangement) input(batch int64) ir.Shape { return append(ir.Shape{batch}, a.rest...) }

// arrangements lists the ways in which the declared input can take the images, the likeliest first. image is C, H, W, or nil where only the
// file says it. Errors name the input and say what would help.
func arrangements(in export.Declared, image []int64, layout, data string) ([]arrangement, error) {
	if image == nil {
		var err error
		if image, err = guess(in.Dims, layout); err != nil {
			return nil, fmt.Errorf("input %s: %w", in, err)
		}
	}
	if in.Dims == nil {
		in.Dims = ir.Shape{ir.N, ir.N, ir.N, ir.N}
	}
	var found []arrangement
	for _, last := range []bool{false, true} {
		if layout == NHWC && !last || layout == NCHW && last {
			continue
		}
		for _, rest := range forms(image, last) {
			if a, ok := fits(in.Dims, rest); ok {
				a.image, a.last = image, last
				found = append(found, a)
			}
		}
	}
	if len(found) == 0 {
		as := "by --shape"
		if data != "" {
			as = "as in " + data
		}
		also := ""
		if layout != "" {
			also = fmt.Sprintf(" and the layout %s", layout)
		}
		return nil, fmt.Errorf("expected one input float32[N,%d,%d,%d] %s%s, channels last, flattened or without a batch, found %s", image[0], image[1], image[2], as, also, in)
	}
	// A batch of one and channels of one are told apart by what the rest of the graph does with them; the forms with a batch come first.
	slices.SortStableFunc(found, func(a, b arrangement) int {
		switch {
		case (a.batch == 0) == (b.batch == 0):
			return 0
		case a.batch == 0:
			return 1
		}
		return -1
	})
	return found, nil
}

// forms lists the shapes that an image is given in with its channels first or last.
func forms(image []int64, last bool) []ir.Shape {
	c, h, w := image[0], image[1], image[2]
	if last {
		list := []ir.Shape{{h, w, c}}
		if c > 1 {
			list = append(list, ir.Shape{h * w, c}, ir.Shape{h, w * c}, ir.Shape{c * h * w})
		}
		return list
	}
	list := []ir.Shape{{c, h, w}, {c, h * w}, {c * h * w}, {1, c * h * w}, {c * h * w, 1}, {1, 1, c * h * w}, {c * h * w, 1, 1}, {1, c * h * w, 1}}
	if c == 1 {
		list = append(list, ir.Shape{h, w})
	}
	return list
}

// fits reports whether dims is rest with or without a batch before it. An open first dimension is a batch.
func fits(dims, rest ir.Shape) (a arrangement, ok bool) {
	a.rest = rest
	switch {
	case len(dims) == len(rest)+1 && dims[0] != 0 && agrees(dims[1:], rest):
		a.batch = dims[0]
		return a, true
	case len(dims) == len(rest) && dims[0] > 0 && agrees(dims, rest):
		return a, true
	}
	return a, false
}

// agrees compares shapes but for open dimensions of the first.
func agrees(dims, rest ir.Shape) bool {
	for i, d := range dims {
		if d >= 0 && d != rest[i] {
			return false
		}
	}
	return true
}

// guess is the shape C, H, W of the images where nothing but the declared input says it: channels are 1 or 3, and flattened images are square.
func guess(dims ir.Shape, layout string) ([]int64, error) {
	unknown := fmt.Errorf("the size of the images is open: --shape CxHxW says it")
	few := func(d int64) bool { return d == 1 || d == 3 }
	if len(dims) == 4 || len(dims) == 3 && dims[0] > 0 && (few(dims[0]) || few(dims[2])) {
		d := dims[len(dims)-3:]
		image := []int64{d[0], d[1], d[2]}
		if layout == NHWC || layout == "" && !few(d[0]) && few(d[2]) {
			image = []int64{d[2], d[0], d[1]}
		}
		if slices.Min(image) >= 1 {
			return image, nil
		}
		if n := ir.Shape(d).Numel(); n < 1 {
			return nil, unknown
		}
	}
	if len(dims) == 3 && dims[1] > 1 && dims[2] > 1 {
		return []int64{1, dims[1], dims[2]}, nil
	}
	flat := int64(0)
	for _, rest := range []ir.Shape{dims, dims[min(1, len(dims)):]} {
		if rest.Static() && len(rest) > 0 {
			flat = rest.Numel()
		}
	}
	for _, c := range []int64{3, 1} {
		if s := int64(math.Round(math.Sqrt(float64(flat) / float64(c)))); s > 0 && c*s*s == flat {
			return []int64{c, s, s}, nil
		}
	}
	return nil, unknown
}
