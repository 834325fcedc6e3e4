package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
)

// The four files of the MNIST family (LeCun, Cortes, Burges: the MNIST database, file formats), without the last suffix.
var idxFiles = [4]string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}

// readIDX reads the four files, each plain or .gz and with "-idx" or ".idx" in its name, from a folder or an archive.
// Classes are the numbers from 0 to the largest training label.
func readIDX(ctx context.Context, s Spec, _ Options) (*Splits, error) {
	files, err := collect(ctx, s.Path, func(base string) string {
		base = strings.Replace(strings.TrimSuffix(base, ".gz"), ".idx", "-idx", 1)
		for _, name := range idxFiles {
			if base == name {
				return name
			}
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return parseIDX(files)
}

// parseIDX builds the splits from the contents of the files by name in idxFiles.
func parseIDX(files map[string][]byte) (*Splits, error) {
	var images, labels [2]array
	for i, name := range idxFiles {
		data := files[name]
		if data == nil {
			return nil, fmt.Errorf("expected %s, plain or .gz, found none", name)
		}
		dims, into := 3, &images[i/2]
		if i%2 == 1 {
			dims, into = 1, &labels[i/2]
		}
		var err error
		if *into, err = parseIDXFile(data, dims); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		into.name = name
	}
	return fromArrays(images, labels)
}

// parseIDXFile reads an array of bytes: a magic number 0x000008DD with DD the number of dimensions, the dimensions as
// big-endian 32-bit numbers, the bytes.
func parseIDXFile(data []byte, dims int) (array, error) {
	if bytes.HasPrefix(data, gzipMagic) {
		unzipped, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return array{}, err
		}
		if data, err = readEntry(newBudget(int64(len(data))).reader(unzipped), maxArray); err != nil {
			return array{}, err
		}
	}
	head := 4 + 4*dims
	if len(data) < head {
		return array{}, fmt.Errorf("expected a header of %d bytes, found %d", head, len(data))
	}
	if magic, want := binary.BigEndian.Uint32(data), uint32(0x0800+dims); magic != want {
		return array{}, fmt.Errorf("expected the magic number 0x%08x, found 0x%08x", want, magic)
	}
	a := array{shape: make([]int, dims), data: data[head:]}
	for i := range a.shape {
		a.shape[i] = int(binary.BigEndian.Uint32(data[4+4*i:]))
	}
	if n, ok := product(a.shape); !ok || n != len(a.data) {
		return array{}, fmt.Errorf("expected %v bytes of data after the header, found %d", times(a.shape), len(a.data))
	}
	return a, nil
}
