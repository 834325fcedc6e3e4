package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"rnas/internal/atomicfile"
)

// stampFile tells in the folder of a stage what it was done with.
const stampFile = "done.json"

// stage is a part of a run that is not done again while its configuration and its results are what they were.
type stage struct {
	dir     string
	results []string // names of files in dir
	key     any      // all that the results depend on
}

// stamp is the content of stampFile: SHA-256 digests.
type stamp struct {
	Configuration string            `json:"configuration"`
	Results       map[string]string `json:"results"`
}

// do calls work unless the stage is complete.
func (s stage) do(progress io.Writer, work func() error) error {
	path := filepath.Join(s.dir, stampFile)
	was, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if now, err := s.stamp(); err == nil && bytes.Equal(was, now) {
		fmt.Fprintf(progress, "%s: complete\n", s.dir)
		return nil
	}
	if err := work(); err != nil {
		return err
	}
	now, err := s.stamp()
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, now)
}

func (s stage) stamp() ([]byte, error) {
	key, err := json.Marshal(s.key)
	if err != nil {
		return nil, err
	}
	st := stamp{Configuration: digest(key), Results: map[string]string{}}
	for _, name := range s.results {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			return nil, err
		}
		st.Results[name] = digest(data)
	}
	text, err := json.MarshalIndent(st, "", "  ")
	return append(text, '\n'), err
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
