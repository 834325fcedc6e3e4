package examples

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/internal/pythontest"
	"rnas/internal/tensor"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of the page, an absolute path")

// seen is what the page tells of one image.
type seen struct {
	Pixels []float32
	Logits []float32
	Loss   float64
	Shown  string // the class, on the page
}

// visit is the output of web/drive.js.
type visit struct {
	Results []struct {
		Image, About    string
		Label           int
		Eps             float64
		Clean, Attacked seen
	}
	Requests, Faults, Overflows []string
}

// drive serves the page with a model and looks at it with a browser, which also opens files as images of its own.
func drive(t *testing.T, m *model, files ...string) (v visit, url string) {
	t.Helper()
	browser := tool(t, "chromium", "chromium-browser", "google-chrome")
	node := tool(t, "node")
	tool(t, "make")
	for _, pkg := range []string{"onnxruntime-web", "playwright-core"} {
		if _, err := os.Stat(filepath.Join("web/node_modules", pkg)); err != nil {
			pythontest.Missing(t, "%s is not installed: npm ci --prefix examples/web", pkg)
		}
	}
	dir := t.TempDir()
	path, err := filepath.Abs(m.path)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("make", "-s", "-C", "web", "models", "MODEL="+path, "OUT="+dir).CombinedOutput(); err != nil {
		t.Fatalf("make: %v\n%s", err, out)
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("web")))
	models := http.FileServer(http.Dir(dir))
	mux.Handle("/model.onnx", models)
	mux.Handle("/gradient.onnx", models)
	server := httptest.NewServer(mux)
	defer server.Close()

	folder := *screenshots
	if folder == "" {
		folder = dir
	}
	for i := range files {
		if files[i], err = filepath.Abs(files[i]); err != nil {
			t.Fatal(err)
		}
	}
	var stderr bytes.Buffer
	cmd := exec.Command(node, append([]string{"drive.js", browser, server.URL + "/", folder}, files...)...)
	cmd.Dir = "web"
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("drive.js: %v\n%s", err, &stderr)
	}
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	return v, server.URL
}

// check compares what the page found with our runtime and returns the largest difference of a logit.
func (v visit) check(t *testing.T, m *model, url string) float64 {
	t.Helper()
	for _, r := range v.Requests {
		if !strings.HasPrefix(r, url) && !strings.HasPrefix(r, "blob:"+url) {
			t.Errorf("the page asks for %s", r)
		}
	}
	if len(v.Faults) > 0 || len(v.Overflows) > 0 {
		t.Errorf("faults %q, misfits %q", v.Faults, v.Overflows)
	}
	shape := m.pictures[0].pixels.Shape
	largest := 0.0
	for _, r := range v.Results {
		for _, text := range append(m.about, m.classes...) {
			if !strings.Contains(r.About, text) {
				t.Errorf("%q does not tell %q", r.About, text)
			}
		}
		for _, s := range []seen{r.Clean, r.Attacked} {
			if len(s.Pixels) != m.pictures[0].pixels.Len() {
				t.Fatalf("%s: %d pixels", r.Image, len(s.Pixels))
			}
			ours := m.logits(t, tensor.Of(shape, s.Pixels...))
			d := apart(s.Logits, ours)
			largest = max(largest, d)
			if best := slices.Index(ours, slices.Max(ours)); d > tolerance || s.Shown != m.classes[best] {
				t.Errorf("%s: logits differ by %.2g, %q is shown for %q", r.Image, d, s.Shown, m.classes[best])
			}
		}
		if d := apart(r.Attacked.Pixels, r.Clean.Pixels); d > r.Eps+1e-6 || slices.Min(r.Attacked.Pixels) < 0 || slices.Max(r.Attacked.Pixels) > 1 {
			t.Errorf("%s: pixels change by %g, more than %g, or leave [0,1]", r.Image, d, r.Eps)
		}
		switch {
		case r.Eps > 0 && r.Attacked.Loss <= r.Clean.Loss:
			t.Errorf("%s, eps %g: the loss goes from %g to %g", r.Image, r.Eps, r.Clean.Loss, r.Attacked.Loss)
		case r.Eps == 0 && r.Attacked.Loss != r.Clean.Loss:
			t.Errorf("%s: the loss goes from %g to %g without a change", r.Image, r.Clean.Loss, r.Attacked.Loss)
		}
	}
	return largest
}

func TestWeb(t *testing.T) {
	m := trained(t)
	v, url := drive(t, m, m.pictures[0].png)
	if len(v.Results) != len(m.pictures)+3 {
		t.Fatalf("%d results", len(v.Results))
	}
	turned := 0
	for _, p := range m.pictures {
		for _, r := range v.Results {
			if r.Image != p.name() {
				continue
			}
			if d := apart(r.Clean.Pixels, p.pixels.Float32s()); d != 0 {
				t.Errorf("%s: the page decodes pixels that differ by %g", p.png, d)
			}
			if r.Clean.Shown != p.name() {
				t.Errorf("%s is shown for the image of class %s", r.Clean.Shown, p.name())
			}
			t.Logf("%s, eps %.3g/255: loss %.3f, attacked %.3f, seen as %s", r.Image, 255*r.Eps, r.Clean.Loss, r.Attacked.Loss, r.Attacked.Shown)
			if r.Attacked.Shown != r.Clean.Shown {
				turned++
			}
		}
	}
	if turned < 2 {
		t.Errorf("%d attacks change the class", turned)
	}
	t.Logf("largest difference %.2g", v.check(t, m, url))
}

func TestWebForeign(t *testing.T) {
	m := foreign(t)
	p := m.pictures[0]
	v, url := drive(t, m, p.png)
	last := v.Results[len(v.Results)-1]
	if last.Image != filepath.Base(p.png) || apart(last.Clean.Pixels, p.pixels.Float32s()) != 0 {
		t.Errorf("%s is not the image that was opened", last.Image)
	}
	t.Logf("largest difference %.2g", v.check(t, m, url))
}
