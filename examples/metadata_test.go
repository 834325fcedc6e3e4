package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"rnas/train"
)

// asked finds the keys that a program asks the metadata for.
var asked = regexp.MustCompile(`meta(?:\.get\(|\[)"(\w+)"|"(\w+)" not in meta`)

// The programs ask for keys that exported models have.
func TestKeys(t *testing.T) {
	total := 0
	for _, pattern := range []string{"python/*.py", "web/*.js"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range asked.FindAllStringSubmatch(string(text), -1) {
				total++
				if !slices.ContainsFunc(train.Metadata, func(k train.MetadataKey) bool { return k.Key == m[1]+m[2] }) {
					t.Errorf("%s asks for %q, which no row of train.Metadata is", path, m[1]+m[2])
				}
			}
		}
	}
	if total == 0 {
		t.Error("no program asks for metadata")
	}
}
