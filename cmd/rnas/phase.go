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

// stampFile is the file in the folder of a phase that tells what the phase was done with.
const stampFile = "done.json"

// phase is a part of rnas run that is not done again while its configuration and its results are what they were.
type phase struct {
	dir     string
	results []string // names of files in dir
	key     any      // everything that the results depend on
}

// stamp is the content of stampFile: SHA-256 digests.
type stamp struct {
	Configuration string            `json:"configuration"`
	Results       map[string]string `json:"results"`
}

// do calls work unless the phase is complete.
func (p phase) do(progress io.Writer, work func() error) error {
	path := filepath.Join(p.dir, stampFile)
	was, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if now, err := p.stamp(); err == nil && bytes.Equal(was, now) {
		fmt.Fprintf(progress, "%s: complete\n", p.dir)
		return nil
	}
	if err := work(); err != nil {
		return err
	}
	now, err := p.stamp()
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, now)
}

// stamp is the content of stampFile as of now. The error is about a result that is not there.
func (p phase) stamp() ([]byte, error) {
	key, err := json.Marshal(p.key)
	if err != nil {
		return nil, err
	}
	st := stamp{Configuration: digest(key), Results: map[string]string{}}
	for _, name := range p.results {
		data, err := os.ReadFile(filepath.Join(p.dir, name))
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
