package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"rnas/bench/attack"
)

const progressFile = "progress.jsonl"

// record is the result of some points of one task, a line of the progress file.
type record struct {
	Job      string `json:"job"`  // digest of everything that the result depends on
	Task     string `json:"task"` // for people
	Points   []int  `json:"points"`
	Values   []int  `json:"values"`             // one value for each point; the worker of the task says what it means
	Flagged  []int  `json:"flagged,omitempty"`  // points with something to report; the worker of the task says what
	Survived bool   `json:"survived,omitempty"` // the points are not done, and the values are the tries that they survived
	attack.Counts
	Seconds float64 `json:"seconds"`
	Shown   []shown `json:"shown,omitempty"` // adversarial images for the gallery
	Void    bool    `json:"void,omitempty"`  // neither this record nor the job's records before it count
}

// add adds a point with its value and passes.
func (r *record) add(point, value int, c attack.Counts) {
	r.Points, r.Values = append(r.Points, point), append(r.Values, value)
	r.Forwards += c.Forwards
	r.Backwards += c.Backwards
}

// progress is the records of finished batches, in memory and in a file that grows. The zero value has no file.
type progress struct {
	file    *os.File
	records map[string][]record // by job
}

// openProgress reads the records of an earlier run and opens the file for more. From the first broken line on, such as the half line of a
// run that was killed, lines are cut off.
func openProgress(path string) (*progress, error) {
	p := &progress{records: map[string][]record{}}
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	good := 0
	for {
		n := bytes.IndexByte(content[good:], '\n')
		var r record
		if n < 0 || json.Unmarshal(content[good:good+n], &r) != nil || len(r.Points) != len(r.Values) {
			break
		}
		p.remember(r)
		good += n + 1
	}
	if p.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644); err != nil {
		return nil, err
	}
	if err := p.file.Truncate(int64(good)); err != nil {
		p.file.Close()
		return nil, err
	}
	if _, err := p.file.Seek(int64(good), 0); err != nil {
		p.file.Close()
		return nil, err
	}
	return p, nil
}

// add remembers a record and appends it to the file by one write.
func (p *progress) add(r record) error {
	p.remember(r)
	if p.file == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := p.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("progress: %w", err)
	}
	return nil
}

// remember adds a record in memory.
func (p *progress) remember(r record) {
	switch {
	case r.Void:
		delete(p.records, r.Job)
	case p.records == nil:
		p.records = map[string][]record{r.Job: {r}}
	default:
		p.records[r.Job] = append(p.records[r.Job], r)
	}
}

// void drops the records of jobs. It is called where the images that the records vouch for are lost.
func (p *progress) void(jobs []string) error {
	for _, job := range jobs {
		if len(p.records[job]) == 0 {
			continue
		}
		if err := p.add(record{Job: job, Void: true}); err != nil {
			return err
		}
	}
	return nil
}

func (p *progress) Close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

// digest is the SHA-256 of the JSON of parts.
func digest(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // numbers and strings only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
