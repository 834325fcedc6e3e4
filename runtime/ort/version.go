package ort

import (
	"cmp"
	"debug/elf"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

var versionInName = regexp.MustCompile(`\d+\.\d+\.\d+`)

// fileVersion tells a library's version without loading it: from the symbol version that Linux builds define
// (VERS_1.30.0), else from the file name. It is empty when neither says.
func fileVersion(path string) string {
	if f, err := elf.Open(path); err == nil {
		defer f.Close()
		versions, _ := f.DynamicVersions() // absent in stripped or foreign files: fall through to the name
		for _, v := range versions {
			if s, ok := strings.CutPrefix(v.Name, "VERS_"); ok {
				return s
			}
		}
	}
	return versionInName.FindString(filepath.Base(path))
}

// compareVersions orders dotted version numbers; what is not a number counts as 0, a missing part too.
func compareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if c := cmp.Compare(versionPart(as, i), versionPart(bs, i)); c != 0 {
			return c
		}
	}
	return 0
}

func versionPart(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	digits := parts[i]
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
