package dataset

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"io"
	"path"
	"slices"
	"strings"
)

// maxImage is the largest image file, in bytes.
const maxImage = 64 << 20

// imageFile is an image before it is decoded.
type imageFile struct {
	name  string // below the root of the data set: [SPLIT/]CLASS/.../FILE
	split string // train, test, or empty without a split level
	class string
	data  []byte
}

// imageTree is the content of a folder source. All images have the size of config.
type imageTree struct {
	files   []imageFile
	folders []string
	first   string // the image that config is from
	config  image.Config
	grey    bool // all images are
}

// readFolder reads [TOP/][train|test/]CLASS/.../*.png|jpg|jpeg from a folder or an archive. Classes and images are
// ordered by name. Without the split level it divides the images by Split(0.8, seed).
func readFolder(ctx context.Context, s Spec, opts Options) (*Splits, error) {
	tree := imageTree{grey: true}
	if err := walk(ctx, s.Path, tree.visit); err != nil {
		return nil, err
	}
	return tree.splits(ctx, s.Seed, opts)
}

func (t *imageTree) visit(name string, r io.Reader) error {
	if r == nil {
		t.folders = append(t.folders, name)
		return nil
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg":
	default:
		return nil
	}
	data, err := readEntry(r, maxImage)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	config, grey, err := imageHeader(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if t.first == "" {
		t.first, t.config = name, config
	}
	if config.Width != t.config.Width || config.Height != t.config.Height {
		return fmt.Errorf("%s: %dx%d pixels, expected %dx%d as in %s", name, config.Width, config.Height, t.config.Width, t.config.Height, t.first)
	}
	t.grey = t.grey && grey
	t.files = append(t.files, imageFile{name: name, data: bytes.Clone(data)}) // without the spare capacity of reading
	return nil
}

// splits decodes the images of the tree.
func (t *imageTree) splits(ctx context.Context, seed uint64, opts Options) (*Splits, error) {
	classes, err := t.arrange()
	if err != nil {
		return nil, err
	}
	shape := [3]int{3, t.config.Height, t.config.Width}
	if t.grey {
		shape[0] = 1
	}
	elems := shape[0] * shape[1] * shape[2]
	var stored int
	for _, f := range t.files {
		stored += len(f.data)
	}
	if decoded, limit := elems*len(t.files), 4*expansionBase+expansionRatio*stored; decoded > limit {
		return nil, fmt.Errorf("%d images of %dx%d pixels in %d bytes, expected at most %d bytes when decoded", len(t.files), shape[2], shape[1], stored, limit)
	}
	d := &Dataset{Classes: classes, Shape: shape, Images: make([]uint8, elems*len(t.files)), Labels: make([]int32, len(t.files))}
	err = forEach(ctx, len(t.files), opts, func(i int) error {
		f := &t.files[i]
		label, _ := slices.BinarySearch(classes, f.class)
		d.Labels[i] = int32(label)
		if err := decodeImage(d.Images[i*elems:(i+1)*elems], f.data, shape[0], shape[1], shape[2]); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		f.data = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	if t.files[0].split == "" {
		train, test, err := d.Split(0.8, seed)
		return &Splits{train, test}, err
	}
	n := slices.IndexFunc(t.files, func(f imageFile) bool { return f.split == "train" }) // test is first
	part := func(lo, hi int) *Dataset {
		return &Dataset{Classes: classes, Shape: shape, Images: d.Images[lo*elems : hi*elems : hi*elems], Labels: d.Labels[lo:hi:hi]}
	}
	return &Splits{Train: part(n, d.Len()), Test: part(0, n)}, nil
}

// arrange strips a common top folder, sorts the images by name, sets their splits and classes and returns the classes.
func (t *imageTree) arrange() ([]string, error) {
	if len(t.files) == 0 {
		return nil, fmt.Errorf("expected images CLASS/*.png, *.jpg or *.jpeg, found none")
	}
	tops := t.tops()
	for len(tops) == 1 && tops[0] != "train" && tops[0] != "test" && t.strip(tops[0]+"/") {
		tops = t.tops()
	}
	depth := 1 // of a class folder
	if slices.Contains(tops, "train") && slices.Contains(tops, "test") || len(tops) == 1 && (tops[0] == "train" || tops[0] == "test") {
		depth = 2
		if !slices.Equal(tops, []string{"test", "train"}) {
			return nil, fmt.Errorf("expected the folders train and test, found %s", strings.Join(tops, ", "))
		}
	}
	slices.SortFunc(t.files, func(a, b imageFile) int { return cmp.Compare(a.name, b.name) })
	filled := map[string]bool{}
	var classes []string
	for i := range t.files {
		f := &t.files[i]
		if i > 0 && f.name == t.files[i-1].name {
			return nil, fmt.Errorf("%s: found a second time", f.name)
		}
		parts := strings.Split(f.name, "/")
		if len(parts) <= depth {
			return nil, fmt.Errorf("%s: expected images inside class folders", f.name)
		}
		if depth == 2 {
			f.split = parts[0]
		}
		f.class = parts[depth-1]
		if folder := strings.Join(parts[:depth], "/"); !filled[folder] {
			filled[folder] = true
			if f.split != "test" {
				classes = append(classes, f.class)
			}
		}
	}
	slices.Sort(classes)
	for _, f := range t.files {
		if _, known := slices.BinarySearch(classes, f.class); !known {
			return nil, fmt.Errorf("%s: class %s is not among those of train", f.name, f.class)
		}
	}
	slices.Sort(t.folders)
	for _, folder := range t.folders {
		if strings.Count(folder, "/") == depth-1 && !filled[folder] {
			return nil, fmt.Errorf("%s: expected images, found none", folder)
		}
	}
	return classes, nil
}

// tops returns the first components of the image names, sorted.
func (t *imageTree) tops() []string {
	var tops []string
	for _, f := range t.files {
		top, _, _ := strings.Cut(f.name, "/")
		if i, found := slices.BinarySearch(tops, top); !found {
			tops = slices.Insert(tops, i, top)
		}
	}
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
	return true
}
