package npy

import (
	"fmt"
	"io"

	"rnas/internal/tensor"
)

// Reader gives the elements of one array in a .npy file without holding them. Its ReadAt reads the bytes of the
// elements, row-major and little-endian, from offset 0. A Reader is safe for concurrent use if the file is.
type Reader struct {
	*io.SectionReader
	DType tensor.DType
	Shape []int64
}

// NewReader reads the header of a .npy file of size bytes. Errors: those of Decode, and column-major or big-endian order.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	start := make([]byte, min(size, maxHeader+12))
	if n, err := r.ReadAt(start, 0); err != nil && (err != io.EOF || n < len(start)) {
		return nil, fmt.Errorf("npy: expected %d bytes, found %d: %w", len(start), n, err)
	}
	text, rest, err := split(start)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	h, err := parseHeader(text)
	if err != nil {
		return nil, fmt.Errorf("npy: header %q: %w", text, err)
	}
	if h.fortran && len(h.shape) > 1 || h.bigEndian && h.dtype.Size() > 1 {
		return nil, fmt.Errorf("npy: header %q: expected row-major and little-endian order", text)
	}
	n, err := tensor.Numel(h.shape)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	begin := int64(len(start) - len(rest))
	need := int64(n) * int64(h.dtype.Size())
	if size-begin != need {
		return nil, fmt.Errorf("npy: %s%v needs %d bytes, found %d", h.dtype, h.shape, need, size-begin)
	}
	return &Reader{io.NewSectionReader(r, begin, need), h.dtype, h.shape}, nil
}
