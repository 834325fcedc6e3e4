package bench

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/internal/rng"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// killedModel is the environment variable that makes the test binary a benchmark to be killed, of the model that it names, in the
// folder that is the first argument.
const killedModel = "RNAS_BENCH_KILLED"

func TestMain(m *testing.M) {
	model := os.Getenv(killedModel)
	if model == "" {
		os.Exit(m.Run())
	}
	orttest.Open(&testing.B{})
	if _, err := killable(model, os.Args[1]); err != nil {
		panic(err)
	}
}

// killable is a benchmark of many small steps.
func killable(model, dir string) (*report.Result, error) {
	attacks, err := attack.Parse("fgsm,pgd20,mifgsm,apgd-ce,apgd-t")
	if err != nil {
		return nil, err
	}
	o := Options{
		Attacks: attacks, Settings: attack.Settings{Norm: "linf", Epsilon: eps, Seed: 3}, Batch: 4, Images: true, Dir: dir, Version: "test",
		Runtime: ort.Options{Threads: 1},
	}
	return Run(context.Background(), o, []string{model}, images(60, classes, 0, 255))
}

// TestKill ends benchmarks by SIGKILL at ten random moments; what is left is resumed until it is done, and gives the result, the
// points and the images of a run that was left alone.
func TestKill(t *testing.T) {
	orttest.Open(t)
	model, whole := save(t, "convnet", -1, convnet), t.TempDir()
	if _, err := killable(model, whole); err != nil {
		t.Fatal(err)
	}
	lines := bytes.Count(contents(t, filepath.Join(whole, progressFile)), []byte("\n"))
	moments := rng.New(1, rng.Probe, 0, 0, 0)
	const wanted = 10
	killed := 0
	for range wanted { // one folder is enough unless its run ends early
		if killed >= wanted {
			break
		}
		dir := t.TempDir()
		for killed < wanted && kill(t, model, dir, moments.IntN(lines/wanted), time.Duration(moments.IntN(20))*time.Millisecond) {
			killed++
		}
		if _, err := killable(model, dir); err != nil {
			t.Fatal(err)
		}
		same(t, whole, dir)
	}
	if killed < wanted {
		t.Errorf("expected %d runs to be killed, found %d", wanted, killed)
	}
}

// kill starts a run and kills it when it has recorded so many batches and some more time has passed. It reports whether the run was
// not at its end before.
func kill(t *testing.T, model, dir string, batches int, later time.Duration) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, progressFile)
	recorded := func() int {
		data, _ := os.ReadFile(path) // there is none at first
		return bytes.Count(data, []byte("\n"))
	}
	enough := recorded() + batches
	child := exec.Command(self, dir)
	child.Env = append(os.Environ(), killedModel+"="+model)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for recorded() < enough {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			return false
		case <-time.After(time.Millisecond):
		}
	}
	time.Sleep(later)
	child.Process.Kill() // an error says that it has ended
	return <-ended != nil
}

// same compares the outputs of two runs.
func same(t *testing.T, whole, dir string) {
	t.Helper()
	var results [2]*report.Result
	for i, d := range []string{whole, dir} {
		results[i] = read(t, d)
		timeless(results[i])
	}
	if !reflect.DeepEqual(results[0], results[1]) {
		t.Errorf("expected\n%+v, found\n%+v", results[0], results[1])
	}
	archives, err := filepath.Glob(filepath.Join(whole, "*.npz"))
	if err != nil || len(archives) != len(results[0].Models[0].Attacks) {
		t.Fatalf("expected an archive for each attack, found %v", archives)
	}
	for _, path := range append(archives, filepath.Join(whole, pointsFile)) {
		name := filepath.Base(path)
		if !bytes.Equal(contents(t, path), contents(t, filepath.Join(dir, name))) {
			t.Errorf("%s differs", name)
		}
	}
}
