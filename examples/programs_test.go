package examples

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rnas/internal/pythontest"
)

// score is a line of a program's output: probability in percent, logit, name.
var score = regexp.MustCompile(`^ +([0-9.]+) % +([-+0-9.]+)  (.*)$`)

// testProgram runs a command that classifies, with its arguments, on every model.
func testProgram(t *testing.T, command ...string) {
	t.Run("trained", func(t *testing.T) { compare(t, trained(t), command) })
	t.Run("foreign", func(t *testing.T) { compare(t, foreign(t), command) })
	t.Run("errors", func(t *testing.T) { wrong(t, trained(t), command) })
}

func compare(t *testing.T, m *model, command []string) {
	args := append(command[1:len(command):len(command)], "--top", strconv.Itoa(len(m.classes)), m.path)
	for _, p := range m.pictures {
		args = append(args, p.ppm)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(command[0], args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if want := 1 + len(m.pictures)*(1+len(m.classes)); len(lines) != want {
		t.Fatalf("expected %d lines, found\n%s", want, out)
	}
	for _, text := range m.about {
		if !strings.Contains(lines[0], text) {
			t.Errorf("%q does not tell %s", lines[0], text)
		}
	}
	lines = lines[1:]
	largest := 0.0
	for _, p := range m.pictures {
		if lines[0] != p.ppm {
			t.Errorf("expected %s, found %q", p.ppm, lines[0])
		}
		found := map[string]float64{}
		sum, before := 0.0, 100.0
		for _, line := range lines[1 : 1+len(m.classes)] {
			field := score.FindStringSubmatch(line)
			if field == nil {
				t.Fatalf("%q is no score", line)
			}
			percent, err := strconv.ParseFloat(field[1], 64)
			logit, other := strconv.ParseFloat(field[2], 64)
			if err != nil || other != nil || percent > before {
				t.Errorf("%q: %v, %v, or out of order", line, err, other)
			}
			found[field[3]] = logit
			sum, before = sum+percent, percent
		}
		got := make([]float64, len(m.classes))
		for k, name := range m.classes {
			logit, ok := found[name]
			if !ok {
				t.Fatalf("no class %q in %q", name, lines)
			}
			got[k] = logit
		}
		d := apart(got, m.logits(t, p.pixels))
		largest = max(largest, d)
		if d > tolerance || sum < 99.9 || sum > 100.1 {
			t.Errorf("%s: logits differ by %.2g, probabilities add up to %g %%", p.ppm, d, sum)
		}
		lines = lines[1+len(m.classes):]
	}
	t.Logf("largest difference %.2g", largest)
}

// wrong checks the messages for bad files.
func wrong(t *testing.T, m *model, command []string) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, []byte(text))
		return path
	}
	good := m.pictures[0].ppm
	for _, c := range []struct{ model, image, message string }{
		{filepath.Join(dir, "none.onnx"), good, "none.onnx"},
		{file("not.onnx", "not a model"), good, "not.onnx"},
		{m.path, filepath.Join(dir, "none.ppm"), "none.ppm"},
		{m.path, m.pictures[0].png, "expected a binary PPM or PGM file"},
		{m.path, file("short.ppm", "P6 32 32 255 abc"), "short.ppm"},
		{m.path, file("wide.ppm", "P6 # a comment\n# and another\n1 1 65535 abcdef"), "samples of one byte"},
		{m.path, file("grey.pgm", "P5 2 2 255 abcd"), "3"},
		{m.path, file("small.ppm", "P6\n#comment\n2 1\n255\nabcdef"), "32"},
	} {
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(command[0], append(command[1:len(command):len(command)], c.model, c.image)...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s %s: expected exit status 1, found %v", c.model, c.image, err)
		}
		if text := stderr.String(); !strings.HasPrefix(text, "classify: ") || !strings.Contains(text, c.message) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s %s: expected one line with %q, found\n%s", c.model, c.image, c.message, text)
		}
	}
}

func TestPython(t *testing.T) {
	pythontest.Need(t, "numpy", "onnxruntime")
	testProgram(t, "python3", "python/classify.py")
}

func TestC(t *testing.T) {
	tool(t, "make")
	tool(t, "cc")
	for _, build := range []struct{ name, flags string }{
		{"plain", "-O2"},
		{"sanitized", "-O1 -g -fsanitize=address,undefined"}, // tells leaks on standard error
	} {
		t.Run(build.name, func(t *testing.T) {
			dir := t.TempDir()
			if build.name != "plain" {
				probe := exec.Command("cc", append(strings.Fields(build.flags), "-x", "c", "-", "-o", filepath.Join(dir, "probe"))...)
				probe.Stdin = strings.NewReader("int main(void) { return 0; }")
				if err := probe.Run(); err != nil {
					pythontest.Missing(t, "cc has no sanitizers")
				}
			}
			if out, err := exec.Command("make", "-s", "-C", "c", "BUILD="+dir, "CFLAGS="+build.flags).CombinedOutput(); err != nil {
				t.Fatalf("make: %v\n%s", err, out)
			}
			testProgram(t, filepath.Join(dir, "classify"))
		})
	}
}
