package loop

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// toy is a run whose state holds the numbers of steps that it has seen.
type toy struct {
	state *ort.Store
	sums  struct{ Total float64 }
	plan  Plan
}

func newToy(t *testing.T) *toy {
	t.Helper()
	y := &toy{state: ort.NewStore()}
	t.Cleanup(func() { y.state.Close() })
	for _, name := range []string{"a", "b"} {
		if err := y.state.Add(name, tensor.Zeros(tensor.Float32, 4)); err != nil {
			t.Skip(err) // built without cgo
		}
	}
	y.plan = Plan{
		Epochs: 3, Steps: 4,
		Step: func(epoch, step int) error {
			a := y.state.Get("a").Float32s()
			a[step] = a[step]*3 + float32(epoch) + 0.1
			y.sums.Total += float64(a[step])
			return nil
		},
		End: func(_ context.Context, epoch int, _ float64) (any, error) {
			total := y.sums.Total
			y.sums.Total = 0
			return map[string]any{"epoch": epoch + 1, "total": total}, nil
		},
	}
	return y
}

// do opens the run in dir and does what is left of it.
func (y *toy) do(ctx context.Context, dir string, config any) error {
	r, err := Open(dir, config, y.state, &y.sums, 1)
	if err != nil {
		return err
	}
	return errors.Join(r.Do(ctx, y.plan), r.Close())
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

type settings struct {
	Batch int `json:"batch"`
	Inner struct {
		Rate float64 `json:"rate"`
	} `json:"inner"`
}

func contents(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRunResumes(t *testing.T) {
	whole, dir := newToy(t), t.TempDir()
	if err := whole.do(t.Context(), dir, settings{}); err != nil {
		t.Fatal(err)
	}
	want, log := whole.state.Get("a"), contents(t, filepath.Join(dir, LogFile))
	if strings.Count(log, "\n") != 4 || !strings.HasPrefix(log, `{"batch":0`) {
		t.Errorf("log %s", log)
	}
	for stop := range 12 {
		dir := t.TempDir()
		err := newToy(t).do(&countdown{t.Context(), stop}, dir, settings{})
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), CheckpointFile) {
			t.Fatalf("after %d steps: %v", stop, err)
		}
		// What a killed process can leave behind: a log that is ahead of the checkpoint, half a line.
		f, err := os.OpenFile(filepath.Join(dir, LogFile), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("{\"epoch\":9}\n{\"epo"); err != nil {
			t.Fatal(err)
		}
		f.Close()
		again := newToy(t)
		if err := again.do(t.Context(), dir, settings{}); err != nil {
			t.Fatal(err)
		}
		if !tensor.Equal(want, again.state.Get("a")) || contents(t, filepath.Join(dir, LogFile)) != log {
			t.Errorf("stopped after %d steps: states %v and %v, log %s", stop, want, again.state.Get("a"), contents(t, filepath.Join(dir, LogFile)))
		}
	}
}

func TestRunDiverges(t *testing.T) {
	y, dir := newToy(t), t.TempDir()
	if err := y.do(&countdown{t.Context(), 6}, dir, settings{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	before := contents(t, filepath.Join(dir, CheckpointFile))
	step := y.plan.Step
	y.plan.Step = func(epoch, n int) error {
		y.state.Get("b").Float32s()[2] = float32(math.Inf(1))
		return step(epoch, n)
	}
	if err := y.do(t.Context(), dir, settings{}); !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "b holds +Inf") {
		t.Errorf("found %v", err)
	}
	if contents(t, filepath.Join(dir, CheckpointFile)) != before {
		t.Error("the checkpoint changed")
	}
}

func TestOpenOtherConfiguration(t *testing.T) {
	y, dir := newToy(t), t.TempDir()
	was := settings{Batch: 64}
	was.Inner.Rate = 0.1
	if err := y.do(t.Context(), dir, was); err != nil {
		t.Fatal(err)
	}
	is := was
	is.Batch, is.Inner.Rate = 32, 0.2
	_, err := Open(dir, is, y.state, &y.sums, 0)
	if err == nil || !strings.Contains(err.Error(), "batch was 64, is 32; inner.rate was 0.1, is 0.2") {
		t.Errorf("found %v", err)
	}
	type more struct {
		settings
		Seed int `json:"seed"`
	}
	_, err = Open(dir, more{was, 1}, y.state, &y.sums, 0)
	if err == nil || !strings.Contains(err.Error(), "seed was not given, is 1") {
		t.Errorf("found %v", err)
	}
	other := ort.NewStore()
	defer other.Close()
	if _, err = Open(dir, was, other, &y.sums, 0); err == nil || !strings.Contains(err.Error(), `"a" "b"`) {
		t.Errorf("found %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, CheckpointFile), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err = Open(dir, was, y.state, &y.sums, 0); err == nil || !strings.Contains(err.Error(), CheckpointFile) {
		t.Errorf("found %v", err)
	}
}
