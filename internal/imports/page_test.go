package imports

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The page of the architecture has a table of the rooms with the same imports.
func TestRoomsOnPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| room | holds | may import |\n|---|---|---|\n")
	if !found {
		t.Fatal("docs/architecture.md has no table of the rooms")
	}
	lines := strings.Split(strings.TrimSpace(table), "\n")
	for i, r := range rooms {
		if i >= len(lines) {
			t.Errorf("%s has no row in docs/architecture.md", r.folder)
			continue
		}
		cells := strings.Split(lines[i], " | ")
		if len(cells) != 3 || cells[0] != "| `"+r.folder+"`" || cells[2] != imports(r)+" |" {
			t.Errorf("expected | `%s` | ... | %s |\nfound    %s", r.folder, imports(r), lines[i])
		}
	}
	if len(lines) != len(rooms) {
		t.Errorf("expected %d rows, found %d", len(rooms), len(lines))
	}
}

// imports is the cell of a room: its list, with "the compiler" for all of compiler.
func imports(r room) string {
	var cells []string
	whole := !slices.ContainsFunc(compiler, func(c string) bool { return !slices.Contains(r.may, c) })
	if whole {
		cells = append(cells, "the compiler")
	}
	for _, folder := range r.may {
		if !whole || !slices.Contains(compiler, folder) {
			cells = append(cells, "`"+folder+"`")
		}
	}
	if len(cells) == 0 {
		return "-"
	}
	return strings.Join(cells, ", ")
}
