// Package npy reads and writes arrays in NumPy's .npy format and archives of them, .npz
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rnas/internal/tensor"
)

const magic = "\x93NUMPY"

// maxHeader is more than any header of a numeric array needs.
const maxHeader = 1 << 16

type descr struct {
	name  string // NumPy's type code without the byte order
	dtype tensor.DType
}

var descrs = []descr{
	{"f4", tensor.Float32},
	{"f8", tensor.Float64},
	{"f2", tensor.Float16},
	{"i8", tensor.Int64},
	{"i4", tensor.Int32},
	{"i2", tensor.Int16},
	{"i1", tensor.Int8},
	{"u8", tensor.Uint64},
	{"u4", tensor.Uint32},
	{"u2", tensor.Uint16},
	{"u1", tensor.Uint8},
	{"b1", tensor.Bool},
}

// Decode reads one array from the content of a .npy file. Arrays in column-major or big-endian order are converted.
// Errors: objects, strings, structured and complex types, and data that does not match the header.
func Decode(data []byte) (*tensor.Tensor, error) {
	header, data, err := split(data)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	h, err := parseHeader(header)
	if err != nil {
		return nil, fmt.Errorf("npy: header %q: %w", header, err)
	}
	n, err := tensor.Numel(h.shape)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	size := h.dtype.Size()
	if len(data) != n*size {
		return nil, fmt.Errorf("npy: %s%v needs %d bytes, found %d", h.dtype, h.shape, n*size, len(data))
	}
	t := tensor.Zeros(h.dtype, h.shape...)
	if d, ok := t.Data.([]bool); ok {
		for i, b := range data {
			d[i] = b != 0
		}
	} else {
		copy(tensor.Bytes(t), data)
		if h.bigEndian {
			swap(tensor.Bytes(t), size)
		}
	}
	if h.fortran && len(h.shape) > 1 {
		t = rowMajor(t)
	}
	return t, nil
}

// split separates header and data.
func split(data []byte) (header string, rest []byte, err error) {
	if len(data) < 12 || string(data[:6]) != magic {
		return "", nil, fmt.Errorf("not a .npy file")
	}
	var n uint64
	rest = data[10:]
	switch version := data[6]; version {
	case 1:
		n = uint64(binary.LittleEndian.Uint16(data[8:]))
	case 2, 3:
		n = uint64(binary.LittleEndian.Uint32(data[8:]))
		rest = data[12:]
	default:
		return "", nil, fmt.Errorf("format version %d is not supported", version)
	}
	if n > maxHeader || n > uint64(len(rest)) {
		return "", nil, fmt.Errorf("header of %d bytes: the file has %d left", n, len(rest))
	}
	return string(rest[:n]), rest[n:], nil
}

type header struct {
	dtype     tensor.DType
	bigEndian bool
	fortran   bool
	shape     []int64
}

// headerForm is the Python dictionary that numpy writes, keys in any order.
var headerForm = regexp.MustCompile(`^\{(?:\s*'(descr|fortran_order|shape)':\s*('[^']*'|True|False|\([0-9, ]*\)),?){3}\s*\}\s*$`)

var (
	descrForm   = regexp.MustCompile(`'descr':\s*'([<>|=]?)([a-zA-Z][0-9]*)'`)
	fortranForm = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	shapeForm   = regexp.MustCompile(`'shape':\s*\(([0-9, ]*)\)`)
)

func parseHeader(s string) (header, error) {
	var h header
	d, f, sh := descrForm.FindStringSubmatch(s), fortranForm.FindStringSubmatch(s), shapeForm.FindStringSubmatch(s)
	if !headerForm.MatchString(s) || d == nil || f == nil || sh == nil {
		return h, fmt.Errorf("expected descr of a number type, fortran_order and shape")
	}
	i := slices.IndexFunc(descrs, func(x descr) bool { return x.name == d[2] })
	if i < 0 {
		return h, fmt.Errorf("type %q is not supported", d[2])
	}
	h.dtype, h.bigEndian, h.fortran = descrs[i].dtype, d[1] == ">", f[1] == "True"
	fields := strings.Split(strings.ReplaceAll(sh[1], " ", ""), ",")
	if fields[len(fields)-1] == "" {
		fields = fields[:len(fields)-1]
	}
	for _, field := range fields {
		v, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return h, fmt.Errorf("shape (%s) is no list of sizes", sh[1])
		}
		h.shape = append(h.shape, v)
	}
	return h, nil
}

// swap reverses the bytes of every element.
func swap(b []byte, size int) {
	for i := 0; i < len(b); i += size {
		slices.Reverse(b[i : i+size])
	}
}

// rowMajor converts column-major data.
func rowMajor(t *tensor.Tensor) *tensor.Tensor {
	out := tensor.Zeros(t.DType(), t.Shape...)
	from, to, size := tensor.Bytes(t), tensor.Bytes(out), t.DType().Size()
	index := make([]int64, len(t.Shape))
	for i := range t.Len() {
		at, stride := int64(0), int64(1)
		for d, x := range index {
			at += x * stride
			stride *= t.Shape[d]
		}
		copy(to[i*size:(i+1)*size], from[int(at)*size:])
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < t.Shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out
}

// Encode writes t as the content of a .npy file, format version 1.0. Strings and bfloat16, which NumPy lacks, are
// errors.
func Encode(w io.Writer, t *tensor.Tensor) error {
	i := slices.IndexFunc(descrs, func(x descr) bool { return x.dtype == t.DType() })
	if i < 0 {
		return fmt.Errorf("npy: %s cannot be stored", t.DType())
	}
	order := "<"
	if t.DType().Size() == 1 {
		order = "|"
	}
	shape := ""
	for _, d := range t.Shape {
		shape += fmt.Sprintf("%d, ", d)
	}
	if len(t.Shape) > 1 {
		shape = strings.TrimSuffix(shape, ", ")
	}
	text := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, descrs[i].name, strings.TrimSuffix(shape, " "))
	var b bytes.Buffer
	b.WriteString(magic + "\x01\x00")
	pad := 63 - (10+len(text))%64
	if err := binary.Write(&b, binary.LittleEndian, uint16(len(text)+pad+1)); err != nil {
		return err
	}
	b.WriteString(text + strings.Repeat(" ", pad) + "\n")
	if b.Len() > maxHeader {
		return fmt.Errorf("npy: shape %v is too long", t.Shape)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	_, err := w.Write(tensor.Bytes(t))
	return err
}
