package dataset

import (
	"fmt"
	"slices"
	"strings"
)

// Spec is a parsed data source.
type Spec struct {
	Kind  string // name of the source
	Path  string // of the file or folder; empty for synthetic
	Seed  uint64 // of the synthetic images; else of the stratified order of limits and of the split of an undivided folder
	Limit int    // at most so many images in each split, 0 for all
	Train int    // synthetic: images to make; else at most so many training images, 0 for all
	Test  int    // the same of the test split

	Classes int // synthetic only: number of classes
	Size    int // height and width in pixels; of files, see Dataset.Shrink, 0 for that of the images

	Resize     int    // of files: the shorter side after torchvision's Resize, 0 for none
	Crop       int    // of files: the side of torchvision's CenterCrop, 0 for none
	ClassIndex string // of files: path of the names of the classes, "" for none
	Labels     string // folder only: path of a table of files and classes, "" for none
	Pixels     string // npz only: the range of floats, "" for 0..1
}

// ParseSpec reads a data source: "synthetic", "synthetic:classes=10,size=32,seed=0,train=4000,test=1000,limit=N" or
// "KIND:PATH" with KIND one of cifar10, cifar100, folder, idx, npz, and options limit, train, test, seed, size, resize, crop, class-index,
// labels (folder) and pixels (npz) after the last question mark, as in "folder:PATH?limit=500&seed=1". Options are separated by commas or ampersands. An error names
// the data source and the option at fault.
func ParseSpec(text string) (Spec, error) {
	end := strings.IndexAny(text, ":?")
	if end < 0 {
		end = len(text)
	}
	kind, body := text[:end], strings.TrimPrefix(text[end:], ":")
	source := lookup(kind)
	if source == nil {
		var names []string
		for _, s := range sources {
			names = append(names, s.name)
		}
		return Spec{}, fmt.Errorf("data source %q: expected %s, found %q", text, strings.Join(names, ", "), kind)
	}
	spec := source.start
	spec.Kind = kind
	options := strings.TrimPrefix(body, "?")
	if source.path {
		spec.Path, options = body, ""
		if i := strings.LastIndexByte(body, '?'); i >= 0 {
			spec.Path, options = body[:i], body[i+1:]
		}
		if spec.Path == "" {
			return Spec{}, fmt.Errorf("data source %q: expected %s, found no path", text, source.usage())
		}
	}
	for given := range strings.FieldsFuncSeq(options, func(r rune) bool { return r == ',' || r == '&' }) {
		name, value, _ := strings.Cut(given, "=")
		i := slices.IndexFunc(source.options, func(o option) bool { return o.name == name })
		if i < 0 {
			return Spec{}, fmt.Errorf("data source %q: unknown option %q", text, name)
		}
		if err := source.options[i].set(&spec, value); err != nil {
			return Spec{}, fmt.Errorf("data source %q: %s: %w", text, name, err)
		}
	}
	if source.check != nil {
		if err := source.check(spec); err != nil {
			return Spec{}, fmt.Errorf("data source %q: %w", text, err)
		}
	}
	return spec, nil
}

// WithOption adds an option to a data source, which is not parsed. Of an option that is there already the last one counts.
func WithOption(source, name, value string) string {
	mark := "?"
	if kind, options, _ := strings.Cut(source, ":"); strings.Contains(source, "?") || kind == "synthetic" && options != "" {
		mark = "&"
	}
	escaped := strings.NewReplacer("%", "%25", "?", "%3F", ",", "%2C", "&", "%26").Replace(value)
	return source + mark + name + "=" + escaped
}
