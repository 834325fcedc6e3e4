package loop

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	refused := errors.New("refused")
	for _, c := range []struct {
		text string
		want []string
		err  string
	}{
		{"", nil, ""},
		{"{\"a\":1}\n{\"b\":2}\n", []string{`{"a":1}`, `{"b":2}`}, ""},
		{"{\"a\":1}\n{\"b\":2}", []string{`{"a":1}`, `{"b":2}`}, ""},
		{"{\"a\":1}\n{\"b\":", []string{`{"a":1}`}, ""},
		{"{\"a\":1}\n{\"b\":\n", []string{`{"a":1}`}, ""},
		{"{\"a\":\n{\"b\":2}\n", nil, path + ": line 1: expected a JSON object"},
		{"{}\n[]\n{}\n", []string{"{}"}, path + ": line 2: refused"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := ReadLines(path, func(line []byte) error {
			text := strings.TrimSpace(string(line))
			if text == "[]" {
				return refused
			}
			got = append(got, text)
			return nil
		})
		if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%q: expected %q and %q, found %q and %v", c.text, c.want, c.err, got, err)
		}
	}
	if err := ReadLines(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("found %v", err)
	}
}
