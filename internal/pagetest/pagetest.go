// Package pagetest is for tests that look at a page in a browser.
package pagetest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"rnas/internal/pythontest"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of the pages of the tests, an absolute path")

// Seen is the output of tools/look.mjs: addresses that the page asked for, faults, and elements that stick out of the screen.
type Seen struct{ Requests, Faults, Misfits []string }

// Look opens a page in a headless Chromium, 1280 and 390 pixels wide, light and dark, and leaves pictures in the folder that the
// flag screenshots of the test names. The test is skipped without a browser, and fails where the environment sets CI.
func Look(t *testing.T, page []byte) Seen {
	t.Helper()
	missing := func(what string) {
		t.Helper()
		pythontest.Missing(t, "%s is missing: tools/outside-checks.sh installs it", what)
	}
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		missing("Chromium")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing("node")
	}
	root := moduleRoot(t)
	modules := filepath.Join(root, "examples", "web", "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "playwright-core")); err != nil {
		missing("playwright-core")
	}
	file, folder := filepath.Join(t.TempDir(), "report.html"), *screenshots
	if folder == "" {
		folder = t.TempDir()
	}
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(node, filepath.Join(root, "tools", "look.mjs"), browser, modules, file, folder)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("look.mjs: %v\n%s", err, &stderr)
	}
	var s Seen
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// moduleRoot is the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("the test runs outside the module")
		}
		dir = filepath.Dir(dir)
	}
}
