package export

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"rnas/compiler/ir"
	"rnas/internal/atomicfile"
)

// DataSuffix is appended to the name of a model file to name the file that holds the tensors of a large model.
const DataSuffix = ".data"

// WriteFile writes the bytes of Marshal to a file, complete or not at all. A model of more bytes than o.ExternalOver
// allows keeps its tensors in a second file, whose name ends in DataSuffix and which is written first.
func WriteFile(path string, g *ir.Graph, o Options) error {
	fail := func(err error) error { return fmt.Errorf("%s: graph %s: %w", path, g.Name, err) }
	limit := o.ExternalOver
	if limit == 0 {
		limit = math.MaxInt32
	}
	m, err := encode(g, o, nil)
	if err == nil && int64(m.len()) <= limit {
		return atomicfile.Write(path, m.writeTo)
	}
	if err != nil && !errors.Is(err, errTooLarge) {
		return fail(err)
	}
	data := &dataFile{name: filepath.Base(path) + DataSuffix}
	if m, err = encode(g, o, data); err != nil {
		return fail(err)
	}
	if err := atomicfile.Write(path+DataSuffix, data.writeTo); err != nil {
		return err
	}
	return atomicfile.Write(path, m.writeTo)
}

// dataFile collects tensors that go into another file than the model's.
type dataFile struct {
	name  string
	parts []dataPart
	size  int64
}

type dataPart struct {
	offset  int64
	content []byte
}

// Tensors from externalMin bytes on go into the data file, at multiples of externalAlign, so that they can be mapped.
const (
	externalMin   = 256
	externalAlign = 4096
)

// add places content, which must not change, and returns its offset.
func (d *dataFile) add(content []byte) int64 {
	at := (d.size + externalAlign - 1) / externalAlign * externalAlign
	d.parts = append(d.parts, dataPart{at, content})
	d.size = at + int64(len(content))
	return at
}

func (d *dataFile) writeTo(w io.Writer) error {
	at := int64(0)
	for _, p := range d.parts {
		if _, err := w.Write(make([]byte, p.offset-at)); err != nil {
			return err
		}
		if _, err := w.Write(p.content); err != nil {
			return err
		}
		at = p.offset + int64(len(p.content))
	}
	return nil
}
