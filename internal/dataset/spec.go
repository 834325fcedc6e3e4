package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Spec is a parsed data source.
type Spec struct {
	Kind  string // synthetic, cifar10, cifar100, folder, idx or npz
	Path  string // empty for synthetic
	Seed  uint64 // of the synthetic images; else of the stratified order of limits and of the split of an undivided folder
	Limit int    // at most so many images in each split, 0 for all
	Train int    // synthetic: images to make; else at most so many training images, 0 for all
	Test  int    // the same of the test split

	Classes, Size int // synthetic only: number of classes, height and width in pixels
}

var kinds = []string{"synthetic", "cifar10", "cifar100", "folder", "idx", "npz"}

// ParseSpec reads a data source: "synthetic", "synthetic:classes=10,size=32,seed=0,train=4000,test=1000,limit=N" or
// "KIND:PATH" with KIND one of cifar10, cifar100, folder, idx, npz, and options limit, train, test and seed after the
// last question mark, as in "folder:PATH?limit=500&seed=1". Options are separated by commas or ampersands.
func ParseSpec(text string) (Spec, error) {
	end := strings.IndexAny(text, ":?")
	if end < 0 {
		end = len(text)
	}
	spec := Spec{Kind: text[:end]}
	body := strings.TrimPrefix(text[end:], ":")
	if !slices.Contains(kinds, spec.Kind) {
		return Spec{}, fmt.Errorf("data source %q: expected %s, found %q", text, strings.Join(kinds, ", "), spec.Kind)
	}
	options := body
	ranges := map[string][2]int{"limit": {1, 1 << 31}, "train": {1, 1 << 31}, "test": {1, 1 << 31}}
	if spec.Kind == "synthetic" {
		spec.Classes, spec.Size, spec.Train, spec.Test = 10, 32, 4000, 1000
		ranges["classes"] = [2]int{2, len(shapes) * len(textures)}
		ranges["size"] = [2]int{16, 256}
		options = strings.TrimPrefix(body, "?")
	} else {
		spec.Path, options = body, ""
		if i := strings.LastIndexByte(body, '?'); i >= 0 {
			spec.Path, options = body[:i], body[i+1:]
		}
		if spec.Path == "" {
			return Spec{}, fmt.Errorf("data source %q: expected %s:PATH, found no path", text, spec.Kind)
		}
	}
	fields := map[string]*int{"limit": &spec.Limit, "train": &spec.Train, "test": &spec.Test, "classes": &spec.Classes, "size": &spec.Size}
	for option := range strings.FieldsFuncSeq(options, func(r rune) bool { return r == ',' || r == '&' }) {
		name, value, _ := strings.Cut(option, "=")
		if name == "seed" {
			seed, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return Spec{}, fmt.Errorf("data source %q: seed: expected a number from 0 to 2^64-1, found %q", text, value)
			}
			spec.Seed = seed
			continue
		}
		limits, known := ranges[name]
		if !known {
			return Spec{}, fmt.Errorf("data source %q: unknown option %q", text, name)
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < limits[0] || n > limits[1] {
			return Spec{}, fmt.Errorf("data source %q: %s: expected a number from %d to %d, found %q", text, name, limits[0], limits[1], value)
		}
		*fields[name] = n
	}
	if bytes := 3 * spec.Size * spec.Size * max(spec.Train, spec.Test); spec.Kind == "synthetic" && bytes > 4<<30 {
		return Spec{}, fmt.Errorf("data source %q: %d bytes of images, expected at most %d", text, bytes, 4<<30)
	}
	return spec, nil
}
