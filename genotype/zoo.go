package genotype

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed zoo.json
var zooJSON []byte

// Entry is a published genotype. The counts are those of its evaluation network with 10 classes on 32x32 images.
type Entry struct {
	Name      string   `json:"name"`
	Source    string   `json:"source"`         // repository, path and short commit
	Note      string   `json:"note,omitempty"` // what to know before use
	Channels  int      `json:"channels"`       // of the counted network; 36 where the file says nothing
	Layers    int      `json:"layers"`         // likewise, 20
	Params    int      `json:"params"`         // without the auxiliary head
	ParamsAux int      `json:"params_aux"`     // with the auxiliary head, 0 if it was not counted
	MACs      float64  `json:"macs_m"`         // millions of multiply-adds of convolutions and the classifier
	Genotype  Genotype `json:"genotype"`
}

// Zoo returns the published genotypes in a fixed order, by repository.
func Zoo() []Entry {
	var entries []Entry
	if err := json.Unmarshal(zooJSON, &entries); err != nil {
		panic(fmt.Sprintf("genotype: embedded zoo.json: %v", err))
	}
	for i := range entries {
		entries[i].Genotype.Name = entries[i].Name
		if entries[i].Channels == 0 {
			entries[i].Channels, entries[i].Layers = DARTS.Size()
		}
	}
	return entries
}

// Lookup returns the entry of that name, in any letter case. The error for an unknown name lists the nearest ones.
func Lookup(name string) (Entry, error) {
	entries := Zoo()
	for _, e := range entries {
		if strings.EqualFold(e.Name, name) {
			return e, nil
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Compare(editDistance(a.Name, name), editDistance(b.Name, name))
	})
	return Entry{}, fmt.Errorf("no genotype %q in the zoo; the nearest names are %s, %s and %s",
		abbreviate(name), entries[0].Name, entries[1].Name, entries[2].Name)
}

// editDistance is the Levenshtein distance, in bytes, of two names without regard to letter case and separators.
// Names longer than any of the zoo are cut.
func editDistance(a, b string) int {
	clean := strings.NewReplacer("_", "", "-", "", " ", "")
	a = clean.Replace(strings.ToLower(abbreviate(a)))
	b = clean.Replace(strings.ToLower(abbreviate(b)))
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
