package dataset

import (
	"fmt"
	"slices"
	"strings"
)

// split is a part of a source by its use.
type split int

const (
	none split = iota
	train
	val
	test
)

// splitNames are the words that name a part, in any case.
var splitNames = map[string]split{
	"train": train, "training": train, "trn": train,
	"val": val, "valid": val, "validation": val, "dev": val, "development": val, "eval": val, "evaluation": val,
	"test": test, "testing": test, "tst": test,
}

// fillers are words that stand beside that of the part, as in test_set.
var fillers = []string{"", "images", "image", "imgs", "img", "data", "set", "dataset", "split"}

// splitOf is the part that a folder holds by its name, none for a class or anything else.
func splitOf(folder string) split {
	found := none
	for word := range strings.FieldsFuncSeq(strings.ToLower(folder), func(r rune) bool { return strings.ContainsRune("_-. ", r) }) {
		s := splitNames[word]
		if s == none {
			s = splitNames[strings.TrimSuffix(word, "set")]
		}
		switch {
		case s == none && slices.Contains(fillers, word):
		case s == none || found != none:
			return none
		default:
			found = s
		}
	}
	return found
}

// level finds the level of splits: above the classes, below them (CLASS/SPLIT/...), or nowhere. tops are the folders on top.
func (t *imageTree) level(tops []string) error {
	if len(tops) > 1 && t.belowClasses() {
		for i := range t.files {
			parts := strings.SplitN(t.files[i].name, "/", 3)
			t.files[i].name = parts[1] + "/" + parts[0] + "/" + parts[2]
		}
		t.folders, tops = nil, t.tops(0)
	}
	holders := map[split]string{}
	others := 0
	for _, top := range tops {
		s := splitOf(top)
		switch {
		case s == none:
			others++
		case holders[s] != "":
			return fmt.Errorf("expected one folder of each part, found %s and %s", holders[s], top)
		default:
			holders[s] = top
		}
	}
	divided := holders[train] != "" && len(holders) > 1
	switch {
	case divided && others > 0:
		return fmt.Errorf("expected the folders train and test, val or the like, found %s", strings.Join(tops, ", "))
	case len(holders) == 0 || others > 0:
		if len(holders) > 0 {
			t.notes = append(t.notes, fmt.Sprintf("the folders %s are taken for classes", strings.Join(tops, ", ")))
		}
		return nil
	}
	t.depth = 2
	t.stripBelowSplits()
	return nil
}

// belowClasses reports whether every class folder holds folders of splits.
func (t *imageTree) belowClasses() bool {
	kinds := map[split]bool{}
	for _, f := range t.files {
		parts := strings.Split(f.name, "/")
		if len(parts) < 3 || splitOf(parts[0]) != none || splitOf(parts[1]) == none {
			return false
		}
		kinds[splitOf(parts[1])] = true
	}
	return len(kinds) > 1
}

// stripBelowSplits removes a folder that is alone in every split and holds the classes, as in train/images/CLASS.
func (t *imageTree) stripBelowSplits() {
	for {
		seconds := t.tops(1)
		for _, f := range t.files {
			if strings.Count(f.name, "/") < 3 {
				return
			}
		}
		if len(seconds) != 1 {
			return
		}
		for i := range t.files {
			parts := strings.SplitN(t.files[i].name, "/", 3)
			t.files[i].name = parts[0] + "/" + parts[2]
		}
		t.folders = nil
	}
}

// dropUnlabelled leaves out a part whose images are in no class folder, as the test part of ImageNet, if another part has some.
func (t *imageTree) dropUnlabelled() error {
	if t.depth != 2 {
		return nil
	}
	classed := map[split]bool{}
	for _, f := range t.files {
		if strings.Count(f.name, "/") > 1 {
			classed[splitOf(f.name[:strings.IndexByte(f.name, '/')])] = true
		}
	}
	if len(classed) == 0 {
		return nil
	}
	var kept []imageFile
	for _, f := range t.files {
		if classed[splitOf(f.name[:strings.IndexByte(f.name, '/')])] {
			kept = append(kept, f)
			continue
		}
		t.leftOut = append(t.leftOut, LeftOut{f.file.name, "in no class folder, its class is not known"})
	}
	t.files = kept
	return nil
}
