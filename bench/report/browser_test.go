package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"rnas/internal/pythontest"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of the page of the tests, an absolute path")

const nodeModules = "../../examples/web/node_modules"

// seen is the output of tools/look.mjs.
type seen struct{ Requests, Faults, Misfits []string }

// look opens a page in a headless Chromium. The test is skipped without one, and fails where the environment sets CI.
func look(t *testing.T, page []byte, folder string) seen {
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
	if _, err := os.Stat(filepath.Join(nodeModules, "playwright-core")); err != nil {
		missing("playwright-core")
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(node, "../../tools/look.mjs", browser, nodeModules, file, folder)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("look.mjs: %v\n%s", err, &stderr)
	}
	var s seen
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBrowser checks that the page loads nothing, breaks none of its own rules and fits 390 and 1280 pixels.
func TestBrowser(t *testing.T) {
	folder := *screenshots
	if folder == "" {
		folder = t.TempDir()
	}
	r, galleries := full()
	s := look(t, htmlOf(t, r, galleries), folder)
	if len(s.Requests) != 1 || !strings.HasPrefix(s.Requests[0], "file:") || len(s.Faults) > 0 || len(s.Misfits) > 0 {
		t.Errorf("found %+v", s)
	}
}

// TestBrowserPolicy puts what the page must not do into it, and expects the browser to refuse.
func TestBrowserPolicy(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	r, galleries := full()
	bad := `<img alt="" src="` + server.URL + `/a.png"><script>document.title = "changed"</script><style>h1 { background: url(` + server.URL + `/b.png) }</style><p style="width: 3000px">wide</p></body>`
	s := look(t, bytes.Replace(htmlOf(t, r, galleries), []byte("</body>"), []byte(bad), 1), t.TempDir())
	if n := asked.Load(); n != 0 {
		t.Errorf("the page asked the server %d times", n)
	}
	if len(s.Misfits) != 0 {
		t.Errorf("a style attribute had an effect: %q", s.Misfits)
	}
	for _, rule := range []string{"img-src", "script", "style-src"} {
		if !strings.Contains(strings.Join(s.Faults, "\n"), rule) {
			t.Errorf("expected a violation of %s, found %q", rule, s.Faults)
		}
	}
}
