package export

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/atomicfile"
)

// WriteVerified writes g as WriteFile does, after Redecode has read the bytes back. If Redecode finds a difference, the
// result is an error and the file at path stays as it was.
func WriteVerified(path string, g *ir.Graph, o Options) (Summary, error) {
	data, err := Marshal(g, o)
	if err != nil {
		return Summary{}, fmt.Errorf("%s: %w", path, err)
	}
	s, err := Redecode(data, g)
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, atomicfile.WriteBytes(path, data)
}
