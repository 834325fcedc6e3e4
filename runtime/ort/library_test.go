package ort_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// bare points every place that can be pointed at to empty folders and returns the working directory. What the
// system's own folders hold cannot be hidden, so tests look at candidates of other sources.
func bare(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{ort.LibraryEnv, "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", dir)
	t.Setenv("PATH", dir)
	t.Chdir(dir)
	return dir
}

func write(t *testing.T, content string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func onlyLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("file names are those of Linux")
	}
}

func TestFindOrder(t *testing.T) {
	onlyLinux(t)
	dir := bare(t)
	find := func(explicit, source, path string) {
		t.Helper()
		c, err := ort.Find(explicit)
		if err != nil {
			t.Fatal(err)
		}
		if c.Source != source || c.Path != path {
			t.Errorf("expected %s from %s, found %+v", path, source, c)
		}
	}
	// Least wanted first: each step must take over from the one before.
	linker := write(t, "x", dir, "linker", "libonnxruntime.so.1.25.1")
	t.Setenv("LD_LIBRARY_PATH", filepath.Dir(linker))
	if c := bySource(ort.Candidates(""), "system"); len(c) == 0 || c[0].Path != linker || c[0].Version != "1.25.1" {
		t.Errorf("expected %s first of the system's, found %+v", linker, c)
	}
	venv := write(t, "x", dir, "env", "lib", "python3.12", "site-packages", "onnxruntime", "capi", "libonnxruntime.so.1.26.0")
	t.Setenv("VIRTUAL_ENV", filepath.Join(dir, "env"))
	find("", "python", venv)
	write(t, "x", dir, ".cache", "onnxruntime", "lib", "libonnxruntime.so.1.24.2")
	cached := write(t, "x", dir, ".cache", "onnxruntime", "lib", "libonnxruntime.so.1.30.0") // the newest of a folder
	write(t, "x", dir, ".cache", "onnxruntime", "lib", "libonnxruntime.so.1.9.0")
	find("", "project", cached)
	t.Chdir(filepath.Dir(venv)) // found from below too
	find("", "project", cached)
	env := write(t, "x", dir, "named by env.so")
	t.Setenv(ort.LibraryEnv, env)
	find("", "environment", env)
	flag := write(t, "x", dir, "flag", "libonnxruntime.so")
	find(flag, "flag", flag)
	find(filepath.Dir(flag), "flag", flag)
}

func bySource(all []ort.Candidate, source string) (out []ort.Candidate) {
	for _, c := range all {
		if c.Source == source {
			out = append(out, c)
		}
	}
	return out
}

func TestFindErrors(t *testing.T) {
	onlyLinux(t)
	dir := bare(t)
	old := write(t, "x", dir, ".cache", "onnxruntime", "lib", "libonnxruntime.so.1.23.2")
	find := func(explicit string, kind error, parts ...string) {
		t.Helper()
		_, err := ort.Find(explicit)
		wantError(t, err, kind, parts...)
	}
	if c := bySource(ort.Candidates(""), "project"); len(c) != 1 || c[0].Usable() || c[0].Version != "1.23.2" || c[0].Path != old {
		t.Errorf("expected the old library as an unusable candidate, found %+v", c)
	}
	find(old, ort.ErrOldLibrary, old, ort.MinVersion, "1.23.2")
	find(filepath.Join(dir, "absent.so"), ort.ErrNoLibrary, "--ort-lib", "absent.so")
	find(write(t, "", dir, "empty.so"), ort.ErrNoLibrary, "empty")
	find(t.TempDir(), ort.ErrNoLibrary, "--ort-lib", "folder")
	t.Setenv(ort.LibraryEnv, filepath.Join(dir, "gone.so"))
	find("", ort.ErrNoLibrary, ort.LibraryEnv, "gone.so")
}

func TestOpen(t *testing.T) {
	l := orttest.Open(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if again, err := ort.Open(l.Path()); err != nil || again != l {
				t.Errorf("expected the same library, found %v, %v", again, err)
			}
		})
	}
	wg.Wait()
	if ort.CompareVersion(l.Version(), ort.MinVersion) < 0 {
		t.Errorf("expected %s or newer, found %s", ort.MinVersion, l.Version())
	}
	_, err := ort.Open(write(t, "x", t.TempDir(), "libonnxruntime.so.1.31.0"))
	wantError(t, err, nil, "already loaded", l.Path())
	c, err := ort.Find(l.Path())
	if err != nil || c.Version != "" && c.Version != l.Version() {
		t.Errorf("expected version %s read from the file, found %q, %v", l.Version(), c.Version, err)
	}
}

func TestCompareVersions(t *testing.T) {
	order := []string{"1.9.0", "1.23.2", "1.24.0-rc1", "1.24.1", "1.30", "1.30.1", "2"}
	for i, a := range order {
		for j, b := range order {
			if got := ort.CompareVersion(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s and %s: found %d", a, b, got)
			}
		}
	}
}

func TestPhysicalCores(t *testing.T) {
	dir := t.TempDir()
	for cpu, siblings := range []string{"0,2", "1,3", "0,2", "1,3"} {
		write(t, siblings+"\n", dir, "cpu"+string(rune('0'+cpu)), "topology", "thread_siblings_list")
	}
	for _, c := range []struct {
		cpus []int
		want int
	}{{[]int{0, 1, 2, 3}, 2}, {[]int{0, 2}, 1}, {[]int{3}, 1}, {[]int{0, 1, 7}, 3}} {
		if got := ort.PhysicalOf(dir, c.cpus); got != c.want {
			t.Errorf("processors %v: expected %d cores, found %d", c.cpus, c.want, got)
		}
	}
	if n := ort.PhysicalCores(); n < 1 || n > runtime.NumCPU() {
		t.Errorf("expected 1 to %d cores, found %d", runtime.NumCPU(), n)
	}
}

func TestDoctor(t *testing.T) {
	l := orttest.Open(t)
	r := ort.Doctor("")
	if r.Library != l.Path() || r.Version != l.Version() || len(r.Problems) > 0 {
		t.Errorf("expected a healthy report of %s, found %+v", l.Path(), r)
	}
	if len(r.Candidates) == 0 || len(r.Providers) != len(ort.ProviderNames()) {
		t.Errorf("expected candidates and providers, found %+v", r)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(text, &back); err != nil || back["library"] != l.Path() {
		t.Errorf("expected the library in the JSON, found %s, %v", text, err)
	}
	broken := ort.Doctor(filepath.Join(t.TempDir(), "absent.so"))
	if len(broken.Problems) != 1 || len(broken.Installation) == 0 {
		t.Errorf("expected a problem and a remedy, found %+v", broken)
	}
}

func FuzzSignature(f *testing.F) {
	f.Add(counter(4))
	f.Add(counter(5))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, model []byte) {
		in, out, err := ort.Signature(model)
		if err == nil && len(in)+len(out) > len(model) {
			t.Errorf("%d bytes cannot declare %d inputs and outputs", len(model), len(in)+len(out))
		}
	})
}
