package conformance

import (
	_ "embed"
	"path"
	"strings"
)

// Failure is a row of failures.txt: a case, or a pattern of cases as in path.Match, that is expected to fail.
type Failure struct {
	Pattern string // of collection/name
	Reason  string
}

//go:embed failures.txt
var failures string

// Failures lists the rows of failures.txt.
func Failures() []Failure {
	var out []Failure
	for line := range strings.Lines(failures) {
		pattern, reason, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && pattern != "#" {
			out = append(out, Failure{pattern, strings.TrimSpace(reason)})
		}
	}
	return out
}

// expected finds the first entry for a case.
func expected(list []Failure, c Case) (int, bool) {
	for i, f := range list {
		if ok, err := path.Match(f.Pattern, c.String()); err == nil && ok {
			return i, true
		}
	}
	return 0, false
}
