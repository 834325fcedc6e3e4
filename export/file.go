package export

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/atomicfile"
)

// WriteFile writes g as an ONNX file, complete or not at all. See Marshal.
func WriteFile(path string, g *ir.Graph, o Options) error {
	m, err := encode(g, o)
	if err != nil {
		return fmt.Errorf("%s: graph %s: %w", path, g.Name, err)
	}
	return atomicfile.Write(path, m.writeTo)
}
