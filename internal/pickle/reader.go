package pickle

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// Reader is a stream of known length; several pickles may follow each other in it.
type Reader struct {
	buf  *bufio.Reader
	pos  int64
	size int64
}

// NewReader reads the first size bytes of r.
func NewReader(r io.Reader, size int64) *Reader {
	return &Reader{buf: bufio.NewReader(io.LimitReader(r, size)), size: size}
}

// Pos is the number of bytes that were read.
func (r *Reader) Pos() int64 { return r.pos }

// Left is the number of bytes that follow.
func (r *Reader) Left() int64 { return r.size - r.pos }

func (r *Reader) byte() (byte, error) {
	b, err := r.buf.ReadByte()
	if err != nil {
		return 0, truncated(err)
	}
	r.pos++
	return b, nil
}

// take reads n bytes, which must be there.
func (r *Reader) take(n uint64) ([]byte, error) {
	if n > uint64(r.Left()) {
		return nil, fmt.Errorf("%d bytes of text or data: the file has %d left", n, r.Left())
	}
	b := make([]byte, n)
	k, err := io.ReadFull(r.buf, b)
	r.pos += int64(k)
	return b, truncated(err)
}

// unsigned reads a little-endian number of n bytes.
func (r *Reader) unsigned(n int) (uint64, error) {
	v := uint64(0)
	for i := range n {
		b, err := r.byte()
		if err != nil {
			return 0, err
		}
		v |= uint64(b) << (8 * i)
	}
	return v, nil
}

// line reads up to the end of a line, which is not part of the result.
func (r *Reader) line() (string, error) {
	const most = 1000 // longer than the names of Python modules and classes and the numbers in text form
	var line bytes.Buffer
	for {
		b, err := r.byte()
		switch {
		case err != nil:
			return "", err
		case b == '\n':
			return line.String(), nil
		case line.Len() == most:
			return "", fmt.Errorf("a line of more than %d bytes", most)
		}
		line.WriteByte(b)
	}
}

// truncated turns the end of the stream into an error about it.
func truncated(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
