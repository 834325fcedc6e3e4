package train

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rnas/compiler/program"
	"rnas/internal/rng"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
	"rnas/train/loop"
)

// childFolder is the environment variable that makes the test binary a training to be killed.
const childFolder = "RNAS_TRAIN_CHILD"

// resumable uses everything that a checkpoint must carry over: momentum, averages, random starts, dropped paths.
func resumable(t testing.TB) func(ctx context.Context, dir string, o Options) (*Result, error) {
	c, data := tiny(t, program.Fast)
	c.Epochs, c.Average, c.DropPath, c.Smoothing, c.ValidateEvery = 3, 0.9, 0.2, 0.1, 2
	return func(ctx context.Context, dir string, o Options) (*Result, error) {
		o.Runtime.Threads, o.Interval = 1, 1
		return Run(ctx, c, data, dir, o)
	}
}

func TestMain(m *testing.M) {
	dir := os.Getenv(childFolder)
	if dir == "" {
		os.Exit(m.Run())
	}
	t := &testing.B{}
	orttest.Open(t)
	if _, err := resumable(t)(context.Background(), dir, Options{}); err != nil {
		panic(err)
	}
}

func TestResumeAfterKill(t *testing.T) {
	orttest.Open(t)
	run := resumable(t)
	whole, dir := t.TempDir(), t.TempDir()
	if _, err := run(context.Background(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	moment, killed := rng.New(1, rng.Probe, 0, 0, 0), 0
	for range 3 {
		child := exec.Command(self)
		child.Env = append(os.Environ(), childFolder+"="+dir)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- child.Wait() }()
		for range 1 + moment.IntN(3) {
			waitForStep(dir, ended)
		}
		time.Sleep(time.Duration(moment.IntN(40)) * time.Millisecond)
		child.Process.Kill() // an error says that it has ended
		if <-ended != nil {
			killed++
		}
	}
	if killed == 0 {
		t.Error("no child was killed before its end")
	}
	if _, err := run(context.Background(), dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, whole, WeightsFile), read(t, dir, WeightsFile)) {
		t.Error("the weights differ from those of the whole run")
	}
	if a, b := read(t, whole, "log.jsonl"), read(t, dir, "log.jsonl"); bytes.Count(a, []byte("\n")) != 4 || bytes.Count(b, []byte("\n")) != 4 {
		t.Errorf("expected 4 lines, found %s and %s", a, b)
	}
}

// waitForStep returns when the checkpoint changes or the process ends, which it then says again.
func waitForStep(dir string, ended chan error) {
	path := filepath.Join(dir, loop.CheckpointFile)
	before, _ := os.Stat(path)
	for {
		select {
		case err := <-ended:
			ended <- err
			return
		case <-time.After(5 * time.Millisecond):
		}
		now, err := os.Stat(path)
		if err == nil && (before == nil || !now.ModTime().Equal(before.ModTime())) {
			return
		}
	}
}

// countdown is a context that is cancelled when its error has been asked for so many times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestResumeAfterCancel(t *testing.T) {
	orttest.Open(t)
	run := resumable(t)
	dir := t.TempDir()
	_, err := run(&countdown{t.Context(), 8}, dir, Options{})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "epoch 2 after 2 steps") {
		t.Fatalf("found %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, WeightsFile)); err == nil {
		t.Error("there are weights already")
	}
	var progress strings.Builder
	r, err := run(context.Background(), dir, Options{Progress: &progress})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(progress.String(), "1 epochs and 2 steps done") {
		t.Errorf("progress %q", progress.String())
	}
	before := read(t, dir, WeightsFile)
	again, err := run(context.Background(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, read(t, dir, WeightsFile)) || again.ValAccuracy != r.ValAccuracy {
		t.Error("a finished run does not repeat its result")
	}
}

func TestThreads(t *testing.T) {
	orttest.Open(t)
	for _, recipe := range []program.Recipe{program.Standard, program.Fast, program.TRADES} {
		var files [2][]byte
		for i := range files {
			c, data := tiny(t, recipe)
			c.Epochs, c.Attack.Steps, c.Network.Aux = 1, min(c.Attack.Steps, 2), true
			dir := t.TempDir()
			if _, err := Run(context.Background(), c, data, dir, Options{Runtime: ort.Options{Threads: 1 + i}}); err != nil {
				t.Fatal(err)
			}
			files[i] = read(t, dir, WeightsFile)
		}
		if !bytes.Equal(files[0], files[1]) {
			t.Errorf("%s: one thread and two give different weights", recipe)
		}
	}
}
