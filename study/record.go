package study

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rnas/internal/atomicfile"
	"rnas/internal/fault"
	"rnas/train/loop"
)

// JobFile is the name of the file that describes a job in its folder. It tells by its outcome that the job is finished.
const JobFile = "job.json"

// record is the content of JobFile.
type record struct {
	RNAS     string   `json:"rnas"` // version of the program that finished the job, or else began it
	Job      about    `json:"job"`
	Outcome  *Outcome `json:"outcome,omitempty"`
	replaced bool     // a result that the outcome vouches for is not there any more
}

// about is what a job is: two jobs with the same description have the same outcome.
type about struct {
	Arm    string            `json:"arm"`
	Seed   uint64            `json:"seed"`
	Stage  string            `json:"stage"`
	Flags  Settings          `json:"flags,omitempty"`
	Match  *Match            `json:"match,omitempty"`
	Config json.RawMessage   `json:"config"`
	Inputs map[string]string `json:"inputs"` // digests of the data and of tables
}

// describe is the record of a job that has not been begun.
func describe(j Job, w *Work, version string, inputs map[string]string) (record, error) {
	config, err := json.Marshal(w.Config)
	if err != nil {
		return record{}, err
	}
	a := about{Arm: j.Arm.Name, Seed: j.Seed, Stage: j.Stage, Match: j.Arm.Match, Config: config, Inputs: inputs}
	if flags := j.Arm.Of(j.Stage); flags != nil {
		a.Flags = *flags
	}
	return record{RNAS: version, Job: a}, nil
}

// recall gives r the outcome that is in the folder of its job, if that is finished and its results are whole. A record of
// another job is an error that names the differences.
func (r *record) recall(dir string) error {
	path := filepath.Join(dir, JobFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var was record
	if err := json.Unmarshal(data, &was); err != nil {
		return fault.Inputf("%s: not the description of a job: %w", path, err)
	}
	if err := same(path, was.Job, r.Job); err != nil {
		return err
	}
	if was.Outcome == nil {
		return nil
	}
	for name, digest := range was.Outcome.Files {
		if now, err := FileDigest(filepath.Join(dir, name)); err != nil || now != digest {
			r.replaced = true
			return nil
		}
	}
	r.RNAS, r.Outcome = was.RNAS, was.Outcome
	return nil
}

// same reports in one line how what is described by path has changed.
func same(path string, was, is any) error {
	before, err := json.Marshal(was)
	if err != nil {
		return err
	}
	now, err := json.Marshal(is)
	if err != nil {
		return err
	}
	differences, err := loop.Differ(before, now)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(differences) > 0 {
		return fault.Inputf("%s: changed since it was begun: %s", path, strings.Join(differences, "; "))
	}
	return nil
}

// write stores the record in the folder of its job.
func (r record) write(dir string) error { return writeJSON(filepath.Join(dir, JobFile), r) }

func writeJSON(path string, v any) error {
	text, err := indented(v)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.WriteBytes(path, text)
}

// FileDigest is the SHA-256 digest of a file.
func FileDigest(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return digest(data), nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
