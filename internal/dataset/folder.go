package dataset

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"rnas/internal/picture"
)

// imageFile is an image of a folder source.
type imageFile struct {
	file
	name  string // below the root, without common folders above: [SPLIT/]CLASS/.../FILE
	split split
	class string
	label int32

	data   []byte         // before it is decoded
	config picture.Config // of data
	reason string         // why it is left out, "" for none
}

// imageTree is the content of a folder source.
type imageTree struct {
	files     []imageFile
	others    []file   // what is not named as an image
	folders   []string // without common folders above
	leftOut   []LeftOut
	notes     []string
	classes   []string
	numbered  bool   // classes are numbers from a table
	valAsTest bool   // the test part is one for validation
	depth     int    // of a class folder: 1, or 2 below folders of splits
	above     string // the common folders that were stripped
}

// readFolder reads [TOP/...][SPLIT/]CLASS/.../IMAGE from a folder or an archive, or any arrangement of images with their classes in a table.
// Classes and images are ordered by name. Without the split level it divides the images by Split(0.8, seed); with a table they are Test.
func readFolder(ctx context.Context, s Spec, opts Options) (*Splits, error) {
	all, err := list(ctx, s.Path)
	if err != nil {
		return nil, err
	}
	var index *classIndex
	if s.ClassIndex != "" {
		if index, err = readClassIndex(s.ClassIndex); err != nil {
			return nil, err
		}
	}
	t := newImageTree(all)
	if s.Labels != "" {
		err = t.labelled(s.Labels, index)
	} else if err = t.arrange(); err == nil {
		err = t.label(index)
	}
	if err != nil {
		return nil, err
	}
	return t.splits(ctx, s, opts)
}

func newImageTree(l *listing) *imageTree {
	t := &imageTree{folders: l.folders, leftOut: l.leftOut, depth: 1}
	for _, f := range l.files {
		if picture.Named(f.name) {
			t.files = append(t.files, imageFile{file: f, name: f.name})
		} else {
			t.others = append(t.others, f)
		}
	}
	return t
}

// arrange strips common top folders, sorts the images by name, and sets their splits and classes.
func (t *imageTree) arrange() error {
	if len(t.files) == 0 {
		return fmt.Errorf("expected images CLASS/*.png, *.jpg or another of the formats %s, found none%s", picture.Formats(), t.without(""))
	}
	tops := t.tops(0)
	for len(tops) == 1 && splitOf(tops[0]) == none && t.strip(tops[0]+"/") {
		tops = t.tops(0)
	}
	if err := t.level(tops); err != nil {
		return err
	}
	slices.SortFunc(t.files, func(a, b imageFile) int { return cmp.Compare(a.name, b.name) })
	if err := t.dropUnlabelled(); err != nil {
		return err
	}
	filled := map[string]bool{}
	for i := range t.files {
		f := &t.files[i]
		parts := strings.Split(f.name, "/")
		if len(parts) <= t.depth {
			return fmt.Errorf("%s: expected images inside class folders", f.name)
		}
		if t.depth == 2 {
			f.split = splitOf(parts[0])
		}
		f.class = parts[t.depth-1]
		filled[strings.Join(parts[:t.depth], "/")] = true
	}
	slices.Sort(t.folders)
	for _, folder := range t.folders {
		if strings.Count(folder, "/") == t.depth-1 && !filled[folder] && (t.depth == 1 || splitOf(path.Dir(folder)) != none) {
			return fmt.Errorf("%s: expected images, found none%s", folder, t.without(folder+"/"))
		}
	}
	t.countOthers()
	return nil
}

// without tells how much was left out below a folder, for errors.
func (t *imageTree) without(folder string) string {
	n, first := 0, ""
	for _, f := range t.others {
		if strings.HasPrefix(strings.TrimPrefix(f.name, t.above), folder) {
			if n++; first == "" {
				first = f.name + ": not named as an image"
			}
		}
	}
	for _, l := range t.leftOut {
		if strings.HasPrefix(strings.TrimPrefix(l.File, t.above), folder) {
			if n++; first == "" {
				first = l.File + ": " + l.Reason
			}
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d left out, the first %s)", n, first)
}

// sidecars are extensions of files that commonly stand beside images and are none.
var sidecars = []string{".txt", ".json", ".xml", ".csv", ".md", ".yaml", ".yml", ".html", ".db", ".ini"}

// countOthers leaves out the files in class folders that are not named as images, except sidecars.
func (t *imageTree) countOthers() {
	for _, f := range t.others {
		inside := strings.Count(strings.TrimPrefix(f.name, t.above), "/") >= t.depth
		if inside && !slices.Contains(sidecars, strings.ToLower(path.Ext(f.name))) {
			t.leftOut = append(t.leftOut, LeftOut{f.name, "not named as an image of the formats " + picture.Formats()})
		}
	}
}

// label numbers the classes: by an index, nil for none, or by the order of their names in the training part, or in all without one.
func (t *imageTree) label(index *classIndex) error {
	if index != nil {
		t.classes = index.classes()
		for i := range t.files {
			f := &t.files[i]
			label, ok := index.find(f.class)
			if !ok {
				return fmt.Errorf("class-index: expected the class %s of %s, found none or several", f.class, f.name)
			}
			f.label = int32(label)
		}
		return nil
	}
	trained := slices.ContainsFunc(t.files, func(f imageFile) bool { return f.split == train })
	for _, f := range t.files {
		if !trained || f.split == train {
			t.classes = append(t.classes, f.class)
		}
	}
	slices.Sort(t.classes)
	t.classes = slices.Compact(t.classes)
	for i := range t.files {
		f := &t.files[i]
		label, known := slices.BinarySearch(t.classes, f.class)
		if !known {
			return fmt.Errorf("%s: class %s is not among those of train", f.name, f.class)
		}
		f.label = int32(label)
	}
	return nil
}

// tops returns component number at of the image names, sorted.
func (t *imageTree) tops(at int) []string {
	found := map[string]bool{}
	var tops []string
	for _, f := range t.files {
		if parts := strings.SplitN(f.name, "/", at+2); len(parts) > at && !found[parts[at]] {
			found[parts[at]] = true
			tops = append(tops, parts[at])
		}
	}
	slices.Sort(tops)
	return tops
}

// strip removes the folder prefix from all names if every image stays inside a class folder.
func (t *imageTree) strip(prefix string) bool {
	for _, f := range t.files {
		if strings.Count(f.name, "/") < 2 {
			return false
		}
	}
	for i := range t.files {
		t.files[i].name = strings.TrimPrefix(t.files[i].name, prefix)
	}
	var folders []string
	for _, folder := range t.folders {
		if rest, below := strings.CutPrefix(folder, prefix); below {
			folders = append(folders, rest)
		}
	}
	t.folders = folders
	t.above += prefix
	return true
}
