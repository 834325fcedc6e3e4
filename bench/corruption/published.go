package corruption

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"rnas/internal/dataset"
	"rnas/internal/npy"
	"rnas/internal/tensor"
)

// Published reads the files of CIFAR-10-C (https://zenodo.org/records/2535967, where M is 10,000). NAME.npy of each corruption is uint8
// [5*M,H,W,C], the M images of severity 1 first. labels.npy is integers [5*M], the same at every severity. Files of another M and size are
// read too. A Published holds the labels only; images are read when they are asked for.
type Published struct {
	points  int // M
	limit   int
	shape   [3]int
	classes []string
	labels  []int32 // [M]
	images  map[string]*npy.Reader
	names   map[string]string // of the files, for errors
	open    []io.Closer
}

const labelsFile = "labels.npy"

// OpenPublished checks the labels and the headers of all files against images of shape C,H,W and the classes. location is a folder, or a .tar
// with the files anywhere in it. limit is the number of images to give of each severity, 0 for all. Errors name the file, what was expected
// and what was found.
func OpenPublished(location string, limit int, shape [3]int, classes []string) (*Published, error) {
	p := &Published{limit: limit, shape: shape, classes: classes, images: map[string]*npy.Reader{}, names: map[string]string{}}
	err := p.openAll(location)
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close closes the files.
func (p *Published) Close() error {
	var err error
	for _, c := range p.open {
		if cerr := c.Close(); err == nil {
			err = cerr
		}
	}
	p.open = nil
	return err
}

// Load reads the images of a corruption at a severity in the order of the file, the first ones up to the limit.
func (p *Published) Load(kind Corruption, severity int) (*dataset.Dataset, error) {
	n := p.points
	if p.limit > 0 {
		n = min(n, p.limit)
	}
	d := &dataset.Dataset{Name: fmt.Sprintf("%s, severity %d", p.names[kind.Name], severity), Classes: p.classes, Shape: p.shape, Labels: p.labels[:n]}
	channels, area := p.shape[0], p.shape[1]*p.shape[2]
	size := channels * area
	d.Images = make([]uint8, n*size)
	row := make([]byte, size)
	for i := range n {
		if _, err := p.images[kind.Name].ReadAt(row, int64((severity-1)*p.points+i)*int64(size)); err != nil {
			return nil, fmt.Errorf("%s: image %d: %w", p.names[kind.Name], (severity-1)*p.points+i, err)
		}
		image := d.Images[i*size : (i+1)*size]
		for k, v := range row {
			image[k%channels*area+k/channels] = v
		}
	}
	return d, nil
}

// openAll opens the labels and all corruptions.
func (p *Published) openAll(location string) error {
	info, err := os.Stat(location)
	if err != nil {
		return err
	}
	files := folderFiles(location)
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s: expected a folder or a .tar, found %s", location, info.Mode().Type())
		}
		f, err := os.Open(location)
		if err != nil {
			return err
		}
		p.open = append(p.open, f)
		if files, err = tarFiles(f, location, info.Size()); err != nil {
			return err
		}
	}
	labels, err := p.array(files, labelsFile)
	if err != nil {
		return err
	}
	if err := p.setLabels(labels); err != nil {
		return fmt.Errorf("%s: %w", p.names[labelsFile], err)
	}
	want := []int64{int64(Severities * p.points), int64(p.shape[1]), int64(p.shape[2]), int64(p.shape[0])}
	for _, k := range table {
		a, err := p.array(files, k.name+".npy")
		if err != nil {
			return err
		}
		p.names[k.name], p.images[k.name] = p.names[k.name+".npy"], a
		if a.DType != tensor.Uint8 || !slices.Equal(a.Shape, want) {
			return fmt.Errorf("%s: expected uint8%v as %s and the model's data have it, found %s%v", p.names[k.name], want, labelsFile, a.DType, a.Shape)
		}
	}
	return nil
}

// file is an opened file.
type file struct {
	io.ReaderAt
	name string
	size int64
}

// array opens a file and reads its header.
func (p *Published) array(files func(base string) (file, error), base string) (*npy.Reader, error) {
	f, err := files(base)
	if err != nil {
		return nil, err
	}
	if c, ok := f.ReaderAt.(io.Closer); ok {
		p.open = append(p.open, c)
	}
	p.names[base] = f.name
	a, err := npy.NewReader(f, f.size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return a, nil
}

// maxLabels is the largest number of labels that is read, 20 times that of CIFAR-10-C. It bounds the memory.
const maxLabels = 1 << 20

// setLabels reads the labels and checks that they are classes and the same at every severity.
func (p *Published) setLabels(a *npy.Reader) error {
	if len(a.Shape) != 1 || a.Shape[0] == 0 || a.Shape[0]%Severities != 0 || a.Shape[0] > maxLabels {
		return fmt.Errorf("expected one dimension, a multiple of %d up to %d, found the shape %v", Severities, maxLabels, a.Shape)
	}
	if a.DType.IsFloat() || a.DType == tensor.Bool {
		return fmt.Errorf("expected integers, found %s", a.DType)
	}
	all := tensor.Zeros(a.DType, a.Shape...)
	if _, err := a.ReadAt(tensor.Bytes(all), 0); err != nil {
		return err
	}
	values := all.AsInt64s()
	p.points = len(values) / Severities
	for i, v := range values {
		if v < 0 || v >= int64(len(p.classes)) {
			return fmt.Errorf("element %d: expected a label from 0 to %d, found %d", i, len(p.classes)-1, v)
		}
		if first := values[i%p.points]; v != first {
			return fmt.Errorf("element %d: expected %d as at severity 1, found %d", i, first, v)
		}
	}
	for _, v := range values[:p.points] {
		p.labels = append(p.labels, int32(v))
	}
	return nil
}

// folderFiles finds files in a folder.
func folderFiles(dir string) func(base string) (file, error) {
	return func(base string) (file, error) {
		name := filepath.Join(dir, base)
		info, err := os.Stat(name)
		if err != nil {
			return file{}, err
		}
		if !info.Mode().IsRegular() {
			return file{}, fmt.Errorf("%s: expected a regular file, found %s", name, info.Mode().Type())
		}
		f, err := os.Open(name)
		if err != nil {
			return file{}, err
		}
		return file{f, name, info.Size()}, nil
	}
}

// tarFiles finds the .npy files in an archive of size bytes without reading them.
func tarFiles(f *os.File, name string, size int64) (func(base string) (file, error), error) {
	found := map[string]file{}
	for archive := tar.NewReader(f); ; {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: expected a folder or a .tar that is not compressed: %w", name, err)
		}
		base := path.Base(h.Name)
		if h.Typeflag != tar.TypeReg || !strings.HasSuffix(base, ".npy") || strings.HasPrefix(base, ".") {
			continue
		}
		begin, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		inside := name + ":" + h.Name
		switch {
		case found[base].ReaderAt != nil:
			return nil, fmt.Errorf("%s: found a second time, the first one is %s", inside, found[base].name)
		case sparse(h):
			return nil, fmt.Errorf("%s: expected a plain entry, found a sparse one", inside)
		case h.Size > size-begin:
			return nil, fmt.Errorf("%s: expected %d bytes, found the end of the archive after %d", inside, h.Size, size-begin)
		}
		found[base] = file{io.NewSectionReader(f, begin, h.Size), inside, h.Size}
	}
	return func(base string) (file, error) {
		if found[base].ReaderAt == nil {
			return file{}, &fs.PathError{Op: "find", Path: name + ":" + base, Err: fs.ErrNotExist}
		}
		return found[base], nil
	}, nil
}

// sparse reports whether an entry leaves out zeros, so that the bytes in the archive are not its content.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}
