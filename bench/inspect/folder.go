package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rnas/genotype"
	"rnas/train/loop"
)

// Folder is the content of the folder of a run and of the folders on two levels below it, as rnas run lays them out.
type Folder struct {
	Path     string             `json:"path"`
	Files    []string           `json:"files"`
	Config   json.RawMessage    `json:"config,omitempty"` // first line of the log
	Epochs   int                `json:"epochs"`           // lines of the log after it
	Last     json.RawMessage    `json:"last,omitempty"`   // last of them
	Genotype *genotype.Genotype `json:"genotype,omitempty"`
	Measured []Measured         `json:"measured,omitempty"` // by the benchmark of the folder
	Folders  []Folder           `json:"folders,omitempty"`
}

// GenotypeFile is the name of a found genotype in the folder of a run.
const GenotypeFile = "genotype.json"

// ReadFolder reads the folder of a search, a training or a whole run. It is an error if neither the folder nor one below it holds a log, a
// genotype or the result of a benchmark.
func ReadFolder(path string) (*Folder, error) {
	f, err := readFolder(path, 2)
	if err != nil {
		return nil, err
	}
	if f.empty() {
		return nil, fmt.Errorf("%s: expected the folder of a run, found none of %s, %s and %s", path, loop.LogFile, GenotypeFile, ResultFile)
	}
	return f, nil
}

// empty reports whether neither the folder nor one below it holds a log, a genotype or a result.
func (f *Folder) empty() bool {
	for i := range f.Folders {
		if !f.Folders[i].empty() {
			return false
		}
	}
	return f.Config == nil && f.Genotype == nil && f.Measured == nil
}

// readFolder reads a folder and the folders as many levels below it as below says.
func readFolder(path string, below int) (*Folder, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	f := &Folder{Path: path}
	for _, e := range entries {
		if !e.IsDir() {
			f.Files = append(f.Files, e.Name())
			continue
		}
		if below == 0 {
			continue
		}
		inner, err := readFolder(filepath.Join(path, e.Name()), below-1)
		if err != nil {
			return nil, err
		}
		if !inner.empty() {
			f.Folders = append(f.Folders, *inner)
		}
	}
	if err := f.readLog(filepath.Join(path, loop.LogFile)); err != nil {
		return nil, err
	}
	if f.Measured, err = readMeasured(path); err != nil {
		return nil, err
	}
	file := filepath.Join(path, GenotypeFile)
	if _, err := os.Stat(file); err == nil {
		g, err := genotype.Load(file)
		if err != nil {
			return nil, err
		}
		f.Genotype = &g
	}
	return f, nil
}

// readLog reads the log at path, if there is one. A last line that is being written is left out.
func (f *Folder) readLog(path string) error {
	err := loop.ReadLines(path, func(line []byte) error {
		line = bytes.TrimSpace(bytes.Clone(line))
		if f.Config == nil {
			f.Config = line
			return nil
		}
		f.Epochs++
		f.Last = line
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
