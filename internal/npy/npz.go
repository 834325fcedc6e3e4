package npy

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"strings"

	"rnas/internal/atomicfile"
	"rnas/internal/tensor"
)

// Array is one named array of an .npz archive.
type Array struct {
	Name   string
	Tensor *tensor.Tensor
}

// ReadNPZ reads the arrays of a .npz file in the order of the archive. An entry may unpack to at most maxRatio times
// the size of the archive.
func ReadNPZ(path string) ([]Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	out, err := readArchive(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// maxRatio is about the most that deflate, the only compression numpy uses, can achieve.
const maxRatio = 1032

func readArchive(r io.ReaderAt, size int64) ([]Array, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	var out []Array
	seen := map[string]bool{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("entry %q is no array", f.Name)
		}
		if seen[name] {
			return nil, fmt.Errorf("array %q is there twice", name)
		}
		seen[name] = true
		t, err := readEntry(f, size)
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		out = append(out, Array{name, t})
	}
	return out, nil
}

func readEntry(f *zip.File, archive int64) (*tensor.Tensor, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// The memory grows with what is unpacked, whatever size the entry claims.
	data, err := io.ReadAll(io.LimitReader(r, maxRatio*archive+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > maxRatio*archive {
		return nil, fmt.Errorf("more than %d bytes in an archive of %d", len(data)-1, archive)
	}
	return Decode(data)
}

// WriteNPZ writes arrays to a .npz file in the given order, complete or not at all, without compression. Equal arrays
// give equal bytes.
func WriteNPZ(path string, arrays []Array) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		z := zip.NewWriter(w)
		seen := map[string]bool{}
		for _, a := range arrays {
			if seen[a.Name] {
				return fmt.Errorf("array %q is there twice", a.Name)
			}
			seen[a.Name] = true
			f, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store})
			if err != nil {
				return err
			}
			if err := Encode(f, a.Tensor); err != nil {
				return fmt.Errorf("array %q: %w", a.Name, err)
			}
		}
		return z.Close()
	})
}
