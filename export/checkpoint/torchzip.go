package checkpoint

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"rnas/internal/pickle"
)

// maxDirectory bounds what is read of a zip archive to list it, in bytes: about 40,000 storages.
const maxDirectory = 4 << 20

// directoryReader counts what is read for the directory.
type directoryReader struct {
	r    io.ReaderAt
	left int
	open bool // no longer counting
}

// ReadAt implements io.ReaderAt; reading more than maxDirectory bytes while d is not open is an error.
func (d *directoryReader) ReadAt(p []byte, off int64) (int, error) {
	if !d.open {
		if d.left -= len(p); d.left < 0 {
			return 0, fmt.Errorf("a directory of more than %d bytes", maxDirectory)
		}
	}
	return d.r.ReadAt(p, off)
}

// readTorchZip reads the form of PyTorch 1.6 and later: a zip archive of stored entries in one folder: data.pkl, the
// pickle; data/KEY, the storages; byteorder, since PyTorch 2.1.
func readTorchZip(r io.ReaderAt, size int64) ([]Tensor, error) {
	directory := &directoryReader{r: r, left: maxDirectory}
	archive, err := zip.NewReader(directory, size)
	if err != nil {
		return nil, err
	}
	directory.open = true
	entries := map[string]*zip.File{}
	folder, found := "", false
	for _, f := range archive.File {
		if entries[f.Name] != nil {
			return nil, fmt.Errorf("entry %s is there twice", quoteName(f.Name))
		}
		entries[f.Name] = f
		if before, ok := strings.CutSuffix(f.Name, "/data.pkl"); ok && !strings.Contains(before, "/") {
			folder, found = before+"/", true
		}
	}
	switch {
	case !found:
		return nil, errors.New("the archive has no data.pkl")
	case entries[folder+"constants.pkl"] != nil:
		return nil, errors.New("a TorchScript archive: expected the parameters alone, torch.save(model.state_dict(), ...)")
	}
	if f := entries[folder+"byteorder"]; f != nil {
		order, err := stored(f, 16)
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("byte order %s: expected little", quoteName(string(order)))
		}
	}
	script := entries[folder+"data.pkl"]
	if err := checkStored(script, size); err != nil {
		return nil, err
	}
	in, err := script.Open()
	if err != nil {
		return nil, fmt.Errorf("entry %s: %w", quoteName(script.Name), err)
	}
	all := storages{}
	load := pickle.Loader{Find: findTorch, Limit: objectLimit(size), PersistentLoad: func(id any) (any, error) {
		s, _, err := storageID(id, 5)
		if err != nil {
			return nil, err
		}
		return all.intern(s)
	}}
	root, err := load.Load(pickle.NewReader(in, int64(script.UncompressedSize64)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", quoteName(script.Name), err)
	}
	views, err := stateDict(root)
	if err != nil {
		return nil, err
	}
	return tensors(views, tensorLimit(size), func(s *torchStorage) ([]byte, error) {
		f := entries[folder+"data/"+s.key]
		if f == nil {
			return nil, fmt.Errorf("the archive has no storage %s", quoteName(s.key))
		}
		data, err := stored(f, size)
		if err != nil {
			return nil, err
		}
		if n, ok := s.bytes(int64(len(data))); !ok || n != int64(len(data)) {
			return nil, fmt.Errorf("storage %s: %d bytes for %d elements of %s", quoteName(s.key), len(data), s.size, typeName(s.dtype))
		}
		return data, nil
	})
}

// checkStored checks that an entry is as long as it says, and no longer than most bytes.
func checkStored(f *zip.File, most int64) error {
	switch {
	case f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64:
		return fmt.Errorf("entry %s is compressed: expected it stored, as PyTorch writes it", quoteName(f.Name))
	case f.UncompressedSize64 > uint64(most):
		return fmt.Errorf("entry %s: %d bytes, expected at most %d", quoteName(f.Name), f.UncompressedSize64, most)
	}
	return nil
}

// stored reads an entry whole.
func stored(f *zip.File, most int64) ([]byte, error) {
	if err := checkStored(f, most); err != nil {
		return nil, err
	}
	in, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("entry %s: %w", quoteName(f.Name), err)
	}
	data := make([]byte, f.UncompressedSize64)
	if _, err = io.ReadFull(in, data); err == nil {
		// The checksum is compared at the end of the entry.
		if _, err = io.ReadFull(in, make([]byte, 1)); err == io.EOF {
			return data, nil
		}
	}
	return nil, fmt.Errorf("entry %s: %w", quoteName(f.Name), whole(err))
}
