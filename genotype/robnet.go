package genotype

import (
	"fmt"
	"slices"
	"strings"
)

// Link is the operation on an edge of a RobNet cell, spelled as in the public code. The first digit says whether the
// state is passed on, the second whether a separable 3x3 convolution of the state is added.
type Link string

// The links.
const (
	NoLink       Link = "00"
	ConvLink     Link = "01"
	SkipLink     Link = "10"
	ResidualLink Link = "11"
)

var links = []Link{NoLink, ConvLink, SkipLink, ResidualLink}

// RobNetNodes is the number of intermediate nodes of a RobNet cell. Node i reads the two inputs and the i nodes before
// it, and all nodes are concatenated. The links of the nodes stand one after the other in an entry of Genotype.Links.
const RobNetNodes = 4

const robNetLinks = RobNetNodes * (RobNetNodes + 3) / 2

// validateRobNet checks the cells of a network, or the one that all of its cells share.
func validateRobNet(cells [][]Link) error {
	if len(cells) == 0 {
		return fmt.Errorf("no cells, expected one for each layer, or one for all")
	}
	for i, c := range cells {
		if len(c) != robNetLinks {
			return fmt.Errorf("cell %d: %d edges, expected %d", i, len(c), robNetLinks)
		}
		for k, l := range c {
			if !slices.Contains(links, l) {
				return fmt.Errorf("cell %d: edge %d: unknown link %q, expected one of %s", i, k, abbreviate(string(l)), names(links))
			}
		}
	}
	return nil
}

// robNetText writes the cells as the Python list of the public code.
func robNetText(cells [][]Link) string {
	var b strings.Builder
	b.WriteString("[")
	for i, c := range cells {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "['%s']", strings.ReplaceAll(names(c), ", ", "', '"))
	}
	b.WriteString("]")
	return b.String()
}

// robNet reads what robNetText writes.
func (s *scanner) robNet() ([][]Link, error) {
	return sequence(s, func() ([]Link, error) {
		return sequence(s, func() (Link, error) {
			l, err := s.quoted()
			return Link(l), err
		})
	})
}
