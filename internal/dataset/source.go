package dataset

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// source is a kind of data source.
type source struct {
	name    string
	path    bool // the images are in a file or folder, whose path follows the name
	options []option
	start   Spec             // values of the options that are not given
	check   func(Spec) error // of the options together; nil for no condition
	open    func(context.Context, Spec, Options) (*Splits, error)
}

// sources are the kinds of data sources, in the order in which help and errors list them.
var sources = []source{
	{
		name: "synthetic", options: slices.Concat(common, []option{
			number("classes", 2, len(shapes)*len(textures), func(s *Spec) *int { return &s.Classes }),
			number("size", 16, 256, func(s *Spec) *int { return &s.Size }),
		}),
		start: Spec{Classes: 10, Size: 32, Train: 4000, Test: 1000}, check: checkSynthetic, open: synthetic,
	},
	{name: "cifar10", path: true, options: files, open: cifar10.read},
	{name: "cifar100", path: true, options: files, open: cifar100.read},
	{
		name: "folder", path: true, options: append(slices.Clone(files), text("labels", func(s *Spec) *string { return &s.Labels })),
		open: readFolder,
	},
	{name: "idx", path: true, options: files, open: readIDX},
	{name: "npz", path: true, options: append(slices.Clone(files), option{"pixels", setPixels}), open: readNPZ},
}

// usage is how a source is written, without its options after a question mark.
func (s source) usage() string {
	if s.path {
		return s.name + ":PATH"
	}
	return s.name + "[:OPTIONS]"
}

// Usage is a line of help on the sources that Open reads.
func Usage() string {
	var list []string
	for _, s := range sources {
		list = append(list, s.usage())
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last] + ", each with ?OPTIONS"
}

// lookup is the source of that name, nil for none.
func lookup(name string) *source {
	for i := range sources {
		if sources[i].name == name {
			return &sources[i]
		}
	}
	return nil
}

// option is a number that a source can be given as name=value.
type option struct {
	name string
	set  func(s *Spec, value string) error
}

// common are the options of every source.
var common = []option{
	number("limit", 1, 1<<31, func(s *Spec) *int { return &s.Limit }),
	number("train", 1, 1<<31, func(s *Spec) *int { return &s.Train }),
	number("test", 1, 1<<31, func(s *Spec) *int { return &s.Test }),
	{"seed", setSeed},
}

// files are the options of the sources that read files.
var files = slices.Concat(common, []option{
	number("size", 1, 1<<16, func(s *Spec) *int { return &s.Size }),
	number("resize", 1, maxSide, func(s *Spec) *int { return &s.Resize }),
	number("crop", 1, maxSide, func(s *Spec) *int { return &s.Crop }),
	text("class-index", func(s *Spec) *string { return &s.ClassIndex }),
})

// text is an option for a field of Spec. Characters that a data source cannot hold in an option stand as %XX.
func text(name string, field func(*Spec) *string) option {
	return option{name, func(s *Spec, value string) error {
		plain, err := url.PathUnescape(value)
		if err != nil || plain == "" {
			return fmt.Errorf("expected a text with %%XX for special characters, found %q", value)
		}
		*field(s) = plain
		return nil
	}}
}

func setPixels(s *Spec, value string) error {
	var list []string
	for _, r := range pixelRanges {
		if list = append(list, r.text); value == r.text {
			s.Pixels = value
			return nil
		}
	}
	return fmt.Errorf("expected %s, found %q", strings.Join(list, ", "), value)
}

// number is an option from low to high for a field of Spec.
func number(name string, low, high int, field func(*Spec) *int) option {
	return option{name, func(s *Spec, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < low || n > high {
			return fmt.Errorf("expected a number from %d to %d, found %q", low, high, value)
		}
		*field(s) = n
		return nil
	}}
}

func setSeed(s *Spec, value string) error {
	seed, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return fmt.Errorf("expected a number from 0 to 2^64-1, found %q", value)
	}
	s.Seed = seed
	return nil
}
