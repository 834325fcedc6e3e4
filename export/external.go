package export

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// external reads the data that tensors of a model keep in other files of its folder
// (https://onnx.ai/onnx/repo-docs/ExternalData.html).
type external struct {
	dir   string // "" allows no other files
	root  *os.Root
	sizes map[string]int64 // of the files seen
}

func (e *external) close() {
	if e.root != nil {
		e.root.Close()
	}
}

// location says where the data of a tensor lies; a negative length means up to the end of the file.
type location struct {
	path           string
	offset, length int64
}

// newLocation reads the entries of a tensor's external_data.
func newLocation(entries map[string]string) (location, error) {
	l := location{path: entries["location"], length: -1}
	number := func(key string, dst *int64) error {
		text, ok := entries[key]
		if !ok {
			return nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("external data: %s %q: expected a number that is not negative", key, text)
		}
		*dst = n
		return nil
	}
	if l.path == "" {
		return l, fmt.Errorf("external data without a location")
	}
	if !filepath.IsLocal(l.path) {
		return l, fmt.Errorf("external data: location %q leaves the folder of the model", l.path)
	}
	if err := number("offset", &l.offset); err != nil {
		return l, err
	}
	return l, number("length", &l.length)
}

// read fills dst with the data at l, which must be as long. Links that lead out of the folder are not followed.
func (e *external) read(l location, dst []byte, m *memory) error {
	f, size, err := e.open(l.path, m)
	if err != nil {
		return fmt.Errorf("external data: %w", err)
	}
	defer f.Close()
	if l.length < 0 {
		l.length = max(size-l.offset, 0)
	}
	if l.length != int64(len(dst)) {
		return fmt.Errorf("external data: %s: the tensor needs %d bytes, found %d", l.path, len(dst), l.length)
	}
	if _, err := io.ReadFull(io.NewSectionReader(f, l.offset, l.length), dst); err != nil {
		return fmt.Errorf("external data: %s: %d bytes at %d: %w", l.path, l.length, l.offset, err)
	}
	return nil
}

// check tells whether the file holds the bytes that l names, before memory is set aside for them.
func (e *external) check(l location, n int64, m *memory) error {
	f, size, err := e.open(l.path, m)
	if err != nil {
		return fmt.Errorf("external data: %w", err)
	}
	defer f.Close()
	if l.offset > size || n > size-l.offset {
		return fmt.Errorf("external data: %s: %d bytes at %d are beyond its %d bytes", l.path, n, l.offset, size)
	}
	return nil
}

func (e *external) open(path string, m *memory) (*os.File, int64, error) {
	if e.dir == "" {
		return nil, 0, fmt.Errorf("%s: the folder of the model is not known", path)
	}
	if e.root == nil {
		root, err := os.OpenRoot(e.dir)
		if err != nil {
			return nil, 0, err
		}
		e.root, e.sizes = root, map[string]int64{}
	}
	f, err := e.root.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	if name := filepath.Clean(path); e.sizes[name] == 0 && len(e.sizes) < 1<<16 {
		e.sizes[name] = max(info.Size(), 1)
		m.grow(info.Size())
	}
	return f, info.Size(), nil
}
