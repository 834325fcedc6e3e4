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
	name  string // of the file
	shape []int
	data  []byte  // images: one byte an element
	ints  []int64 // labels; nil if data holds them
}

// fromArrays builds the splits from training and test images ([N, H, W], [N, H, W, C] or [N, C, H, W] bytes, where C is 1
// or 3 and the last place is taken for C if both fit) and labels ([N] or [N, 1]).
func fromArrays(images, labels [2]array) (*Splits, error) {
	var splits [2]*Dataset
	for i := range splits {
		d, err := fromArray(images[i], labels[i])
		if err != nil {
			return nil, err
		}
		splits[i] = d
	}
	train, test := splits[0], splits[1]
	if train.Shape != test.Shape {
		return nil, fmt.Errorf("%s: images of shape %v, expected %v as in %s", images[1].name, test.Shape, train.Shape, images[0].name)
	}
	var last int32
	for _, label := range train.Labels {
		last = max(last, label)
	}
	for i, label := range test.Labels {
		if label > last {
			return nil, fmt.Errorf("%s: element %d: expected a label of at most %d as in %s, found %d", labels[1].name, i, last, labels[0].name, label)
		}
	}
	for k := range last + 1 {
		train.Classes = append(train.Classes, strconv.Itoa(int(k)))
	}
	test.Classes = train.Classes
	return &Splits{train, test}, nil
}

func fromArray(images, labels array) (*Dataset, error) {
	d := &Dataset{Images: images.data}
	s := images.shape
	switch {
	case len(s) == 3:
		d.Shape = [3]int{1, s[1], s[2]}
	case len(s) == 4 && (s[3] == 1 || s[3] == 3):
		d.Shape = [3]int{s[3], s[1], s[2]}
		d.Images = planar(images.data, s[0], s[1]*s[2], s[3])
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
func planar(data []byte, n, pixels, channels int) []byte {
	if channels == 1 {
		return data
	}
	out := make([]byte, len(data))
	for i := range n {
		from, to := data[i*pixels*channels:], out[i*pixels*channels:]
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
