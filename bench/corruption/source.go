package corruption

import (
	"fmt"
	"strings"
)

// Source says where corrupted images come from.
type Source struct {
	Path  string // folder or .tar of CIFAR-10-C; "" for images made by a Generator
	Limit int    // number of images of each severity that are read from the files, 0 for all
}

// ParseSource reads "generated" or "cifar10c:PATH".
func ParseSource(text string) (Source, error) {
	path, published := strings.CutPrefix(text, "cifar10c:")
	switch {
	case text == "generated":
		return Source{}, nil
	case published && path != "":
		return Source{Path: path}, nil
	}
	return Source{}, fmt.Errorf("expected generated or cifar10c:PATH, found %q", text)
}

// Name is the kind of source: "generated" or "cifar10c".
func (s Source) Name() string {
	if s.Path == "" {
		return "generated"
	}
	return "cifar10c"
}

// About is one line about where images of shape C,H,W come from.
func (s Source) About(shape [3]int) string {
	if s.Path == "" {
		return "generated with the parameters of " + Parameters(shape) +
			", frost from a procedural texture instead of photographs: not comparable with results on the published files"
	}
	return "read from the files of CIFAR-10-C, " + s.Path
}
