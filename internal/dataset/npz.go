package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rnas/internal/tensor"
)

// npzNames are the names of the four arrays, by the first of which errors call them.
var npzNames = [4][]string{
	{"x_train", "train_images", "X_train"},
	{"y_train", "train_labels", "Y_train"},
	{"x_test", "test_images", "X_test", "x", "X", "images", "data"},
	{"y_test", "test_labels", "Y_test", "y", "Y", "labels", "targets"},
}

// readNPZ reads images and labels of training and test from an .npz file; those of test suffice. Images are uint8, or floats of 16, 32 or 64
// bits in [0, 1], which are kept as float32, or in the range that the option pixels tells. Labels are integers of any width.
func readNPZ(ctx context.Context, s Spec, _ Options) (*Splits, error) {
	files, err := collect(ctx, s.Path, func(base string) string {
		name, ok := strings.CutSuffix(base, ".npy")
		for _, names := range npzNames {
			if ok && slices.Contains(names, name) {
				return base
			}
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return parseNPZ(files, s)
}

// parseNPZ builds the splits from the contents of the files by name.
func parseNPZ(files map[string][]byte, s Spec) (*Splits, error) {
	var images, labels [2]array
	for i, names := range npzNames {
		k := slices.IndexFunc(names, func(name string) bool { return files[name+".npy"] != nil })
		if k < 0 && i < 2 && files[npzNames[0][0]+".npy"] == nil && files[npzNames[1][0]+".npy"] == nil {
			continue // no training part
		}
		if k < 0 {
			return nil, fmt.Errorf("expected %s.npy, found none", names[0])
		}
		name := names[k] + ".npy"
		descr, shape, data, err := parseNPY(files[name])
		a := array{}
		switch {
		case err != nil:
		case i%2 == 0:
			a, err = parseImages(descr, data, s.Pixels)
		default:
			a, err = parseLabels(descr, data)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		a.name, a.shape = name, shape
		if i%2 == 0 {
			images[i/2] = a
		} else {
			labels[i/2] = a
		}
	}
	return fromArrays(images, labels)
}

var (
	npyDescr = regexp.MustCompile(`'descr'\s*:\s*'([^']*)'`)
	npyOrder = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	npyShape = regexp.MustCompile(`'shape'\s*:\s*\(([0-9,\s]*)\)`)
)

// parseNPY reads the header of a .npy file of version 1, 2 or 3 (NumPy Enhancement Proposal 1 and numpy.lib.format) and
// checks that as many bytes follow as it claims.
func parseNPY(file []byte) (descr string, shape []int, data []byte, err error) {
	if len(file) < 12 || !bytes.HasPrefix(file, []byte("\x93NUMPY")) {
		return "", nil, nil, fmt.Errorf("expected a .npy header, found %q", file[:min(12, len(file))])
	}
	var size, start int
	switch version := file[6]; version {
	case 1:
		size, start = int(binary.LittleEndian.Uint16(file[8:])), 10
	case 2, 3:
		size, start = int(binary.LittleEndian.Uint32(file[8:])), 12
	default:
		return "", nil, nil, fmt.Errorf("expected .npy version 1, 2 or 3, found %d", version)
	}
	if size > len(file)-start {
		return "", nil, nil, fmt.Errorf("expected a header of %d bytes, found a file of %d bytes", size, len(file))
	}
	header, data := file[start:start+size], file[start+size:]
	d, o, s := npyDescr.FindSubmatch(header), npyOrder.FindSubmatch(header), npyShape.FindSubmatch(header)
	if d == nil || o == nil || s == nil {
		return "", nil, nil, fmt.Errorf("expected descr, fortran_order and shape in the header, found %.200q", header)
	}
	if string(o[1]) == "True" {
		return "", nil, nil, fmt.Errorf("expected C order, found Fortran order")
	}
	for field := range strings.SplitSeq(string(s[1]), ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil {
			return "", nil, nil, fmt.Errorf("shape (%.100s): %w", s[1], err)
		}
		shape = append(shape, n)
	}
	descr = string(d[1])
	width, known := npyWidths[descr]
	if !known {
		return "", nil, nil, fmt.Errorf("expected a little-endian dtype of uint8, floats or integers, found %.40q", descr)
	}
	if n, ok := product(append([]int{width}, shape...)); !ok || n != len(data) {
		return "", nil, nil, fmt.Errorf("shape %v of %s: expected %d*%s bytes of data, found %d", shape, descr, width, times(shape), len(data))
	}
	return descr, shape, data, nil
}

var npyWidths = map[string]int{
	"|u1": 1, "|i1": 1, "<u2": 2, "<i2": 2, "<u4": 4, "<i4": 4, "<u8": 8, "<i8": 8, "<f2": 2, "<f4": 4, "<f8": 8, "|b1": 1,
}

// pixelRanges are the ranges that floats of a source can be in, by the text of the option pixels.
var pixelRanges = []struct {
	text      string
	low, high float64
}{{"0..1", 0, 1}, {"0..255", 0, 255}, {"-1..1", -1, 1}}

// parseImages reads images of bytes, or of floats in the range pixels, "" for 0..1.
func parseImages(descr string, data []byte, pixels string) (array, error) {
	if descr == "|u1" {
		return array{data: data}, nil
	}
	if descr[1] != 'f' {
		return array{}, fmt.Errorf("expected images of uint8 or floats, found %s", descr)
	}
	low, high := 0.0, 1.0
	for _, r := range pixelRanges {
		if r.text == pixels {
			low, high = r.low, r.high
		}
	}
	width := npyWidths[descr]
	out := make([]float32, len(data)/width)
	least, most := 0.0, 0.0
	for i := range out {
		v := float(data[i*width : (i+1)*width])
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return array{}, fmt.Errorf("element %d: expected a number, found %v", i, v)
		}
		least, most = min(least, v), max(most, v)
		out[i] = float32((v - low) / (high - low))
		if low == 0 && high == 1 {
			out[i] = float32(v)
		}
	}
	if least < low || most > high {
		return array{}, fmt.Errorf("expected values in [%v, %v], found %v to %v%s", low, high, least, most, rangeAdvice(least, most))
	}
	return array{floats: out}, nil
}

// rangeAdvice names the option for values from least to most.
func rangeAdvice(least, most float64) string {
	for _, r := range pixelRanges {
		if least >= r.low && most <= r.high && (r.high < 255 || most > 2) {
			return fmt.Sprintf("; for values of %s add ?pixels=%s to the data source", r.text, r.text)
		}
	}
	return "; images that were normalised by mean and std have to be given as they were before"
}

// float is a little-endian float of 16, 32 or 64 bits.
func float(data []byte) float64 {
	switch len(data) {
	case 2:
		return float64(tensor.Half(binary.LittleEndian.Uint16(data)).Float32())
	case 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(data)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(data))
}

func parseLabels(descr string, data []byte) (array, error) {
	if descr[1] == 'f' {
		return array{}, fmt.Errorf("expected integer labels, found %s", descr)
	}
	width := npyWidths[descr]
	ints := make([]int64, len(data)/width)
	for i := range ints {
		var word [8]byte
		copy(word[:], data[i*width:(i+1)*width])
		v := int64(binary.LittleEndian.Uint64(word[:]))
		if descr[1] == 'i' { // extend the sign
			v = v << (64 - 8*width) >> (64 - 8*width)
		}
		ints[i] = v
	}
	return array{ints: ints}, nil
}
