package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rnas/genotype"
	"rnas/internal/atomicfile"
	"rnas/internal/fault"
	"rnas/internal/rng"
	"rnas/search/table"
	"rnas/train/loop"
)

// killedFolder is the environment variable that makes the test binary a study to be killed, in the folder that it names.
const killedFolder = "RNAS_STUDY_KILLED"

func TestMain(m *testing.M) {
	dir := os.Getenv(killedFolder)
	if dir == "" {
		os.Exit(m.Run())
	}
	f, err := ParseFile([]byte(slowStudy))
	if err == nil {
		_, err = Run(context.Background(), f, slowOptions(dir, 2*time.Millisecond))
	}
	if err != nil {
		panic(err)
	}
}

const slowStudy = `
name: Slow
seeds: 0-3
arms:
  - {name: random, search: {method: random}}
  - {name: half, search: {method: half}}
lookup: {columns: [accuracy], class: class, weights: conv_weights, nearest: 3}
statistics: {measures: [accuracy, percentile_accuracy, percentile_equal_accuracy], reference: random, tests: [wilcoxon]}
`

// slowOptions are of studies with a search that takes 20 steps with a checkpoint after each.
func slowOptions(dir string, step time.Duration) Options {
	t, err := ReadTable("testdata/cells.csv")
	if err != nil {
		panic(err)
	}
	return Options{
		Dir: dir, Version: "test", Inputs: map[string]string{"data": "d"}, Progress: io.Discard, Table: t,
		Stages: []Stage{{Name: Search, Check: func(a *Arm) ([]string, error) {
			if m := a.Search["method"]; m.Text != "random" && m.Text != "half" {
				return nil, &SettingError{m.Line, fmt.Errorf("method: expected random or half, found %q", m.Text)}
			}
			return []string{"steps"}, nil
		}, Open: func(j Job) (*Work, error) {
			return &Work{Config: j.Seed, Results: []string{"genotype.json"}, Do: func(ctx context.Context, _ io.Writer) (Outcome, error) {
				return slowSearch(ctx, t, j, step)
			}}, nil
		}}},
	}
}

func slowSearch(ctx context.Context, t *table.Table, j Job, step time.Duration) (Outcome, error) {
	const steps = 20
	place := filepath.Join(j.Dir, "checkpoint")
	at := 0
	if data, err := os.ReadFile(place); err == nil {
		at = len(data)
	}
	for ; at < steps; at++ {
		if ctx.Err() != nil {
			return Outcome{}, ctx.Err()
		}
		time.Sleep(step)
		if err := atomicfile.WriteBytes(place, make([]byte, at+1)); err != nil {
			return Outcome{}, err
		}
	}
	stream := rng.New(j.Seed, rng.Architecture, len(j.Arm.Name), 0, 0)
	rows := len(t.Rows)
	if j.Arm.Name == "half" {
		rows /= 2
	}
	g := t.Rows[stream.IntN(rows)].Genotype
	data, err := g.MarshalJSON()
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Genotype: g.String(), Values: map[string]float64{"steps": steps}}, atomicfile.WriteBytes(filepath.Join(j.Dir, "genotype.json"), data)
}

func slowFile(t *testing.T, text string) *File {
	t.Helper()
	f, err := ParseFile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var tables = []string{"table.csv", "summary.json", "summary.md", "summary.tex", "report.html"}

// TestKill ends a study by SIGKILL at five random moments; what is left is taken up until it is done, and gives the tables of a
// study that was left alone.
func TestKill(t *testing.T) {
	whole, dir := t.TempDir(), t.TempDir()
	if _, err := Run(context.Background(), slowFile(t, slowStudy), slowOptions(whole, 0)); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	moments := rng.New(1, rng.Probe, 0, 0, 0)
	for range 5 {
		child := exec.Command(self)
		child.Env = append(os.Environ(), killedFolder+"="+dir)
		before := written(dir)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// 8 jobs of 20 steps: five times at most 25 are less than all.
		for more := 1 + moments.IntN(25); written(dir)-before < more; {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(moments.IntN(3000)) * time.Microsecond)
		child.Process.Kill() // an error says that it has ended, which the next line finds
		if err := child.Wait(); err == nil {
			t.Fatal("the study ended before it was killed")
		}
	}
	for range 2 { // what is left, and a study that is complete
		if _, err := Run(context.Background(), slowFile(t, slowStudy), slowOptions(dir, 0)); err != nil {
			t.Fatal(err)
		}
		for _, name := range tables {
			if a, b := content(t, whole, name), content(t, dir, name); !bytes.Equal(a, b) {
				t.Errorf("%s: expected\n%s\nfound\n%s", name, a, b)
			}
		}
	}
}

// written counts the steps whose checkpoints are in the folder of a study.
func written(dir string) int {
	paths, _ := filepath.Glob(filepath.Join(dir, "jobs", "*", "*", "search", "checkpoint")) // the pattern is well formed
	n := 0
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			n += int(info.Size())
		}
	}
	return n
}

func content(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A study that was begun takes more seeds and arms, and nothing else.
func TestChangedStudy(t *testing.T) {
	dir := t.TempDir()
	if _, err := Run(context.Background(), slowFile(t, slowStudy), slowOptions(dir, 0)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"method: half", "method: random", `arms.half.search.method was "half", is "random"`},
		{"seeds: 0-3", "seeds: 1-3", "seeds was [0,1,2,3], is [1,2,3]"},
		{"  - {name: half, search: {method: half}}\n", "", `arms.half.search.method was "half", is not given`},
		{"nearest: 3", "nearest: 4", "lookup.nearest was 3, is 4"},
		{"reference: random", "reference: half", `statistics.reference was "random", is "half"`},
	} {
		_, err := Run(context.Background(), slowFile(t, strings.Replace(slowStudy, c.old, c.new, 1)), slowOptions(dir, 0))
		if !fault.IsInput(err) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: expected %s, found %v", c.new, c.want, err)
		}
	}
	o := slowOptions(dir, 0)
	o.Inputs = map[string]string{"data": "other"}
	if _, err := Run(context.Background(), slowFile(t, slowStudy), o); !fault.IsInput(err) || !strings.Contains(err.Error(), `inputs.data was "d", is "other"`) {
		t.Errorf("other data: found %v", err)
	}
	more := strings.Replace(strings.Replace(slowStudy, "0-3", "0-4", 1), "  - {name: half", "  - {name: new, search: {method: half}}\n  - {name: half", 1)
	var told bytes.Buffer
	o = slowOptions(dir, 0)
	o.Progress = &told
	s, err := Run(context.Background(), slowFile(t, more), o)
	if err != nil || s.Jobs != 3*5*2 || !strings.Contains(told.String(), "more: 1 seeds, arm new\n") {
		t.Errorf("found %d jobs, %v\n%s", s.Jobs, err, &told)
	}
	if n := strings.Count(told.String(), "/search  "); n != 1+1+5 {
		t.Errorf("expected the searches of the new cells alone, found %d\n%s", n, &told)
	}
}

func TestStops(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	o := slowOptions(dir, 0)
	o.Progress = writerFunc(func(p []byte) {
		if strings.Contains(string(p), "half/1/search") {
			stop()
		}
	})
	if _, err := Run(ctx, slowFile(t, slowStudy), o); !errors.Is(err, context.Canceled) {
		t.Errorf("found %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "table.csv")); err == nil {
		t.Error("a study that was stopped has a table")
	}
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// A result that is gone or changed is made again; a description that is another job's is refused.
func TestDamagedJob(t *testing.T) {
	dir := t.TempDir()
	if _, err := Run(context.Background(), slowFile(t, slowStudy), slowOptions(dir, 0)); err != nil {
		t.Fatal(err)
	}
	table := content(t, dir, "table.csv")
	job := filepath.Join(dir, "jobs", "half", "2", "search")
	found := content(t, job, "genotype.json")
	if err := os.WriteFile(filepath.Join(job, "genotype.json"), content(t, filepath.Join(dir, "jobs", "random", "0", "search"), "genotype.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), slowFile(t, slowStudy), slowOptions(dir, 0)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, job, "genotype.json"), found) || !bytes.Equal(content(t, dir, "table.csv"), table) {
		t.Error("the changed result was not made again")
	}
	text := bytes.Replace(content(t, job, JobFile), []byte(`"config": 2`), []byte(`"config": 7`), 1)
	if err := os.WriteFile(filepath.Join(job, JobFile), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), slowFile(t, slowStudy), slowOptions(dir, 0)); !fault.IsInput(err) || !strings.Contains(err.Error(), "config was 7, is 2") {
		t.Errorf("found %v", err)
	}
}

// A search that diverges leaves its cell empty; all others are compared, over the seeds that both arms have.
func TestDivergedJob(t *testing.T) {
	o := slowOptions(t.TempDir(), 0)
	open := o.Stages[0].Open
	o.Stages[0].Open = func(j Job) (*Work, error) {
		w, err := open(j)
		if j.Arm.Name == "half" && j.Seed == 1 {
			w.Do = func(context.Context, io.Writer) (Outcome, error) {
				return Outcome{}, fmt.Errorf("%w: epoch 3", loop.ErrDiverged)
			}
		}
		return w, err
	}
	s, err := Run(context.Background(), slowFile(t, slowStudy), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Failed) != 2 || s.Failed[0].Job != "half/1/search" || s.Failed[1].Job != "half/1/lookup" {
		t.Errorf("failed: %+v", s.Failed)
	}
	if a := s.Measures[0].Arms; a[0].N != 4 || a[1].N != 3 || a[1].Versus.N != 3 {
		t.Errorf("found %+v", a)
	}
	if !strings.Contains(string(content(t, o.Dir, "table.csv")), "half,1,search,diverged: epoch 3,") {
		t.Errorf("table.csv does not tell of it:\n%s", content(t, o.Dir, "table.csv"))
	}
}

func TestTwoProcesses(t *testing.T) {
	o := slowOptions(t.TempDir(), 0)
	var second error
	o.Progress = writerFunc(func([]byte) {
		if second == nil {
			_, second = Run(context.Background(), slowFile(t, slowStudy), slowOptions(o.Dir, 0))
		}
	})
	if _, err := Run(context.Background(), slowFile(t, slowStudy), o); err != nil || !fault.IsInput(second) || !strings.Contains(second.Error(), "locked") {
		t.Errorf("first %v, second %v", err, second)
	}
}

// Genotypes that the table does not have end the study; what was found stays.
func TestMissingRow(t *testing.T) {
	o := slowOptions(t.TempDir(), 0)
	for i := range o.Table.Rows { // every search finds it
		o.Table.Rows[i].Genotype = mustParse(t, "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
	}
	f := slowFile(t, strings.Replace(slowStudy, "weights: conv_weights, nearest: 3", "", 1))
	f.Lookup.Weights, f.Statistics.Measures = "", f.Statistics.Measures[:1]
	_, err := Run(context.Background(), f, o)
	if !fault.IsInput(err) || !strings.Contains(err.Error(), "random/0/lookup: testdata/cells.csv: there is no row of the genotype") {
		t.Errorf("found %v", err)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "jobs", "random", "0", "search", "genotype.json")); err != nil {
		t.Error(err)
	}
}

func mustParse(t *testing.T, text string) genotype.Genotype {
	t.Helper()
	g, err := genotype.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
