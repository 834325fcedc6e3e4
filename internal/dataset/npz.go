package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

var npzFiles = [4]string{"x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"}

// readNPZ reads the arrays x_train, y_train, x_test and y_test of an .npz file. Images are uint8, or float32 in [0, 1]
// which are rounded to 1/255; labels are integers of any width.
func readNPZ(ctx context.Context, s Spec, _ Options) (*Splits, error) {
	files, err := collect(ctx, s.Path, func(base string) string {
		for _, name := range npzFiles {
			if base == name {
				return name
			}
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return parseNPZ(files)
}

// parseNPZ builds the splits from the contents of the files by name in npzFiles.
func parseNPZ(files map[string][]byte) (*Splits, error) {
	var images, labels [2]array
	for i, name := range npzFiles {
		if files[name] == nil {
			return nil, fmt.Errorf("expected %s, found none", name)
		}
		into, parse := &images[i/2], parseImages
		if i%2 == 1 {
			into, parse = &labels[i/2], parseLabels
		}
		descr, shape, data, err := parseNPY(files[name])
		if err == nil {
			*into, err = parse(descr, data)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		into.name, into.shape = name, shape
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
		return "", nil, nil, fmt.Errorf("expected a little-endian dtype of uint8, float32 or integers, found %.40q", descr)
	}
	if n, ok := product(append([]int{width}, shape...)); !ok || n != len(data) {
		return "", nil, nil, fmt.Errorf("shape %v of %s: expected %d*%s bytes of data, found %d", shape, descr, width, times(shape), len(data))
	}
	return descr, shape, data, nil
}

var npyWidths = map[string]int{
	"|u1": 1, "|i1": 1, "<u2": 2, "<i2": 2, "<u4": 4, "<i4": 4, "<u8": 8, "<i8": 8, "<f4": 4,
}

func parseImages(descr string, data []byte) (array, error) {
	switch descr {
	case "|u1":
		return array{data: data}, nil
	case "<f4":
		out := make([]byte, len(data)/4)
		for i := range out {
			v := math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
			if !(v >= 0 && v <= 1) {
				return array{}, fmt.Errorf("element %d: expected a value in [0, 1], found %v", i, v)
			}
			out[i] = uint8(math.Round(float64(v) * 255))
		}
		return array{data: out}, nil
	}
	return array{}, fmt.Errorf("expected images of |u1 or <f4, found %s", descr)
}

func parseLabels(descr string, data []byte) (array, error) {
	if descr == "<f4" {
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
