package export

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/atomicfile"
)

// WriteVerified is WriteFile with a look at the bytes by an independent decoder before the file takes its name: what
// Redecode finds different is an error, and the file is as it was.
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
