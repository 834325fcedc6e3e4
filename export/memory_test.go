package export

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

// TestMemoryIsBounded reads messages that cost many times their bytes as structs: the reader refuses them before it has
// allocated more than 4 times the file and 64 MiB.
func TestMemoryIsBounded(t *testing.T) {
	const count = 1 << 20
	repeated := func(m *message) []byte { return bytes.Repeat(m.concat(), count) }
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"empty nodes", proto(modelGraph, repeated(proto(graphNode, proto()))).concat()},
		{"empty values", proto(modelGraph, repeated(proto(graphInput, proto()))).concat()},
		{"empty initializers", proto(modelGraph, repeated(proto(graphInitializer, proto()))).concat()},
		{"names", proto(modelGraph, proto(graphNode, repeated(proto(nodeInput, "")))).concat()},
		{"dimensions", proto(modelGraph, proto(graphInput, proto(valueType, proto(typeTensor, proto(typeShape, repeated(proto(shapeDim, proto()))))))).concat()},
		{"integers", proto(modelGraph, proto(graphNode, proto(nodeAttribute, proto(attrName, "a", attrType, kindInts, attrInts, make([]byte, 16*count))))).concat()},
		{"functions", repeated(proto(modelFunctions, proto(functionName, "f")))},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, err := Unmarshal(c.data, ReadOptions{})
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "needs more memory than 4 times its size and 64 MiB") {
			t.Errorf("%s: got error %v", c.name, err)
		}
		// All that was allocated, garbage of growing slices included.
		if spent, limit := after.TotalAlloc-before.TotalAlloc, uint64(4*len(c.data)+64<<20); spent > 2*limit {
			t.Errorf("%s: %d bytes allocated for a file of %d", c.name, spent, len(c.data))
		}
	}
}
