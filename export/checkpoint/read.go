// Package checkpoint reads and writes files of named tensors: safetensors, and the checkpoints of PyTorch's torch.save.
// Bad files give one-line errors; a reader allocates no more than the file holds.
package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Read reads the tensors of a file, whose content tells the format: safetensors, or a PyTorch checkpoint in the zip
// form or the legacy form. Of a checkpoint, Read takes the dictionary with the most tensors. The map is the free text
// of a safetensors file, nil for a checkpoint. An error names the file.
func Read(path string) ([]Tensor, map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if n > 8 && head[8] == '{' {
		return ReadSafetensors(path)
	}
	tensors, err := readTorch(f, info.Size(), head[:n])
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return tensors, nil, nil
}

// readTorch reads a checkpoint of size bytes that begins with head: the dictionary of parameters in it, see stateDict.
// Nothing that the file names is run, and at most 4 times the size and 64 MiB of memory are taken.
func readTorch(r io.ReaderAt, size int64, head []byte) (out []Tensor, err error) {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		out, err = readTorchZip(r, size)
	case bytes.Contains(head[:min(len(head), 32)], []byte(torchMagic)):
		out, err = readTorchLegacy(r, size)
	default:
		return nil, errors.New("expected safetensors or a PyTorch checkpoint, in the zip form or the one before PyTorch 1.6")
	}
	if err != nil {
		return nil, fmt.Errorf("PyTorch checkpoint: %w", err)
	}
	return out, nil
}
