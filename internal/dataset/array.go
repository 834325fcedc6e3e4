package dataset

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxClasses bounds the labels of sources without class names.
const maxClasses = 1 << 16

// array is a row-major array of numbers as a file holds it.
type array struct {
	name   string // of the file
	shape  []int
	data   []byte    // images: one byte an element
	floats []float32 // images in [0, 1]; nil if data holds them
	ints   []int64   // labels; nil if data holds them
}

// fromArrays builds the splits from training and test images ([N, H, W], [N, H, W, C] or [N, C, H, W], where C is 1
// or 3 and the last place is taken for C if both fit) and labels ([N] or [N, 1]). A part without a name is not there; the test part is.
func fromArrays(images, labels [2]array) (*Splits, error) {
	var splits [2]*Dataset
	var last int32
	for i := range splits {
		if images[i].name == "" {
			continue
		}
		d, err := fromArray(images[i], labels[i])
		if err != nil {
			return nil, err
		}
		splits[i] = d
		for _, label := range d.Labels {
			last = max(last, label)
		}
	}
	train, test := splits[0], splits[1]
	if train == nil {
		train = &Dataset{Shape: test.Shape}
	}
	if train.Shape != test.Shape {
		return nil, fmt.Errorf("%s: images of shape %v, expected %v as in %s", images[1].name, test.Shape, train.Shape, images[0].name)
	}
	for _, d := range []*Dataset{train, test} {
		d.Classes, d.Numbered = numbers(int(last)+1), true
	}
	return &Splits{Train: train, Test: test}, nil
}

// numbers are the names of classes that are only counted.
func numbers(n int) []string {
	list := make([]string, n)
	for k := range list {
		list[k] = strconv.Itoa(k)
	}
	return list
}

func fromArray(images, labels array) (*Dataset, error) {
	d := &Dataset{Images: images.data, Floats: images.floats}
	s := images.shape
	switch {
	case len(s) == 3:
		d.Shape = [3]int{1, s[1], s[2]}
	case len(s) == 4 && (s[3] == 1 || s[3] == 3):
		d.Shape = [3]int{s[3], s[1], s[2]}
		d.Images = planar(images.data, s[1]*s[2], s[3])
		d.Floats = planar(images.floats, s[1]*s[2], s[3])
	case len(s) == 4 && (s[1] == 1 || s[1] == 3):
		d.Shape = [3]int(s[1:])
	default:
		return nil, fmt.Errorf("%s: expected the shape N,H,W or N,H,W,C or N,C,H,W with C 1 or 3, found %v", images.name, s)
	}
	if s[0] == 0 || min(d.Shape[1], d.Shape[2]) < 1 || max(d.Shape[1], d.Shape[2]) > maxSide {
		return nil, fmt.Errorf("%s: expected images of 1 to %d pixels a side, found the shape %v", images.name, maxSide, s)
	}
	if t := labels.shape; len(t) == 0 || t[0] != s[0] || len(t) > 2 || len(t) == 2 && t[1] != 1 {
		return nil, fmt.Errorf("%s: expected the shape %d for as many images in %s, found %v", labels.name, s[0], images.name, t)
	}
	d.Labels = make([]int32, s[0])
	for i := range d.Labels {
		var label int64
		if labels.ints != nil {
			label = labels.ints[i]
		} else {
			label = int64(labels.data[i])
		}
		if label < 0 || label >= maxClasses {
			return nil, fmt.Errorf("%s: element %d: expected a label from 0 to %d, found %d", labels.name, i, maxClasses-1, label)
		}
		d.Labels[i] = int32(label)
	}
	return d, nil
}

// planar turns [n, pixels, channels] into [n, channels, pixels].
func planar[T uint8 | float32](data []T, pixels, channels int) []T {
	if channels == 1 || data == nil {
		return data
	}
	out := make([]T, len(data))
	for at := 0; at < len(data); at += pixels * channels {
		from, to := data[at:], out[at:]
		for p := range pixels {
			for c := range channels {
				to[c*pixels+p] = from[p*channels+c]
			}
		}
	}
	return out
}

// product multiplies sizes; ok is false if one is negative or the product of the sizes passes 2^62.
func product(sizes []int) (n int, ok bool) {
	n = 1
	for _, s := range sizes {
		if s < 0 || s > 0 && n > math.MaxInt/2/s {
			return 0, false
		}
		n *= s
	}
	return n, true
}

// times writes sizes as 60000*28*28.
func times(sizes []int) string {
	text := make([]string, len(sizes))
	for i, s := range sizes {
		text[i] = strconv.Itoa(s)
	}
	return strings.Join(text, "*")
}
