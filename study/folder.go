package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rnas/internal/fault"
)

// Names of the files of a study in its folder, besides the tables.
const (
	StudyFile = "study.json" // what the study is
	jobsDir   = "jobs"
)

// begun is the content of StudyFile.
type begun struct {
	// RNAS are the versions of the program that have worked on the study, the latest last.
	RNAS []string `json:"rnas"`
	*File
	Seeds  Seeds              `json:"seeds"`
	Arms   map[string]*Stages `json:"arms"`  // by name
	Order  []string           `json:"order"` // names of the arms as in the file
	Match  map[string]*Match  `json:"match,omitempty"`
	Inputs map[string]string  `json:"inputs"` // digests of the data and of tables
}

func begin(f *File, version string, inputs map[string]string) begun {
	b := begun{RNAS: []string{version}, File: f, Seeds: f.Seeds, Arms: map[string]*Stages{}, Match: map[string]*Match{}, Inputs: inputs}
	for i := range f.Arms {
		a := &f.Arms[i]
		b.Order = append(b.Order, a.Name)
		b.Arms[a.Name] = &a.Stages
		if a.Match != nil {
			b.Match[a.Name] = a.Match
		}
	}
	return b
}

// enter records in the folder what the study is, or compares it with what the study there was begun as: arms and seeds may
// have been added, and added tells what. Anything else that has changed is an error that names it.
func enter(dir string, f *File, version string, inputs map[string]string) (versions []string, added string, err error) {
	path := filepath.Join(dir, StudyFile)
	is := begin(f, version, inputs)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return is.RNAS, "", writeJSON(path, is)
	}
	if err != nil {
		return nil, "", err
	}
	was := begun{File: &File{}}
	if err := json.Unmarshal(data, &was); err != nil {
		return nil, "", fault.Inputf("%s: not the description of a study: %w", path, err)
	}
	if !slices.Contains(was.RNAS, version) {
		was.RNAS = append(was.RNAS, version)
	}
	is.RNAS = was.RNAS
	now := is
	now.Seeds = slices.DeleteFunc(slices.Clone(is.Seeds), func(s uint64) bool { return !slices.Contains(was.Seeds, s) })
	now.Order = slices.DeleteFunc(slices.Clone(is.Order), func(a string) bool { return was.Arms[a] == nil })
	now.Arms, now.Match = map[string]*Stages{}, map[string]*Match{}
	for _, name := range now.Order {
		now.Arms[name] = is.Arms[name]
		if m := is.Match[name]; m != nil {
			now.Match[name] = m
		}
	}
	// Order has no part in any result.
	slices.Sort(now.Seeds)
	slices.Sort(was.Seeds)
	slices.Sort(now.Order)
	slices.Sort(was.Order)
	if err := same(path, was, now); err != nil {
		return nil, "", err
	}
	var more []string
	if n := len(is.Seeds) - len(now.Seeds); n > 0 {
		more = append(more, fmt.Sprintf("%d seeds", n))
	}
	for _, name := range is.Order {
		if was.Arms[name] == nil {
			more = append(more, "arm "+name)
		}
	}
	return is.RNAS, strings.Join(more, ", "), writeJSON(path, is)
}

// indented is a JSON document for people and programs.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}
