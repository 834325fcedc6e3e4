package ort

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// cacheFolder is where tools/fetch-onnxruntime.sh puts the library, below the project's root.
var cacheFolder = filepath.Join(".cache", "onnxruntime", "lib")

// libraryPatterns match the library's file name in a folder; the first is the plainest, for messages.
var libraryPatterns = func() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"libonnxruntime.dylib", "libonnxruntime.*.dylib"}
	case "windows":
		return []string{"onnxruntime.dll"}
	}
	return []string{"libonnxruntime.so", "libonnxruntime.so.*"}
}()

// projectDirs yields the cache folder below the working directory, the executable's folder and all their parents.
func projectDirs(yield func(string) bool) {
	for _, base := range bases() {
		for dir := range upward(base) {
			if isDir(filepath.Join(dir, cacheFolder)) && !yield(filepath.Join(dir, cacheFolder)) {
				return
			}
		}
	}
}

func bases() []string {
	var out []string
	if wd, err := os.Getwd(); err == nil {
		out = append(out, wd)
	}
	if exe, err := os.Executable(); err == nil {
		out = append(out, filepath.Dir(canonical(exe)))
	}
	return out
}

func upward(dir string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			if !yield(dir) || filepath.Dir(dir) == dir {
				return
			}
			dir = filepath.Dir(dir)
		}
	}
}

// pythonDirs yields the folder of the onnxruntime package in the Python environments: active and usual virtual
// environments, the installation behind python3 on PATH, the user's and the system's packages, and last, because it
// costs a process, wherever python3 itself finds it.
func pythonDirs(yield func(string) bool) {
	prefixes := []string{os.Getenv("VIRTUAL_ENV"), os.Getenv("CONDA_PREFIX")}
	for _, base := range bases() {
		for dir := range upward(base) {
			prefixes = append(prefixes, filepath.Join(dir, ".venv"), filepath.Join(dir, "venv"))
		}
	}
	python, _ := exec.LookPath("python3")
	if python != "" {
		prefixes = append(prefixes, filepath.Dir(filepath.Dir(canonical(python))))
	}
	if home, err := os.UserHomeDir(); err == nil {
		prefixes = append(prefixes, filepath.Join(home, ".local"))
	}
	prefixes = append(prefixes, "/usr/local", "/usr")
	for _, prefix := range prefixes {
		if prefix == "" {
			continue
		}
		for _, pattern := range []string{"lib/python3*/site-packages", "lib/python3/dist-packages", "lib/python3*/dist-packages", "Lib/site-packages"} {
			dirs, _ := filepath.Glob(filepath.Join(escapeGlob(prefix), pattern, "onnxruntime", "capi")) // well-formed
			for _, dir := range dirs {
				if !yield(dir) {
					return
				}
			}
		}
	}
	if python == "" {
		return
	}
	if dir := askPython(python); dir != "" {
		yield(dir)
	}
}

// askPython returns the package's library folder without importing the package; empty when there is none.
func askPython(python string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	const program = "import importlib.util as u; s = u.find_spec('onnxruntime'); print(s.submodule_search_locations[0] if s else '')"
	cmd := exec.CommandContext(ctx, python, "-c", program)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if dir := strings.TrimSpace(string(out)); err == nil && dir != "" {
		return filepath.Join(dir, "capi")
	}
	return ""
}

// systemDirs yields the folders of the dynamic linker's environment variable and the usual places.
func systemDirs(yield func(string) bool) {
	variable := map[string]string{"darwin": "DYLD_LIBRARY_PATH", "windows": "PATH"}[runtime.GOOS]
	if variable == "" {
		variable = "LD_LIBRARY_PATH"
	}
	dirs := filepath.SplitList(os.Getenv(variable))
	for _, pattern := range []string{"/usr/local/lib", "/usr/local/lib64", "/usr/lib", "/usr/lib64", "/usr/lib/*-linux-gnu", "/opt/onnxruntime/lib", "/opt/homebrew/lib"} {
		found, _ := filepath.Glob(pattern) // well-formed
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		if dir != "" && isDir(dir) && !yield(dir) {
			return
		}
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
