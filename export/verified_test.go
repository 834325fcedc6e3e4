package export

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/compiler/ir"
)

func TestWriteVerified(t *testing.T) {
	g := classifier(t)
	path := filepath.Join(t.TempDir(), "m.onnx")
	o := Options{Opset: 15}
	s, err := WriteVerified(path, g, o)
	if err != nil {
		t.Fatal(err)
	}
	if s.Nodes != len(g.Nodes) || s.Initializers == 0 {
		t.Errorf("expected %d nodes and tensors to be compared, found %+v", len(g.Nodes), s)
	}
	data, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(data, marshal(t, g, o)) {
		t.Errorf("the file is not what Marshal gives: %v", err)
	}
	broken := &ir.Graph{Name: "broken", Opset: 18, Nodes: g.Nodes[1:], Outputs: g.Outputs}
	if _, err := WriteVerified(path, broken, o); err == nil || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("found %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, data) {
		t.Errorf("a failed write changed the file: %v", err)
	}
}

func TestReadHeader(t *testing.T) {
	data := marshal(t, classifier(t), Options{Opset: 21, Producer: "p", ProducerVersion: "v", ModelVersion: 3, Doc: "d"})
	h, err := ReadHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	if h.IRVersion != 10 || h.Producer != "p" || h.ProducerVersion != "v" || h.ModelVersion != 3 || h.Doc != "d" || h.Opsets[0] != (OperatorSet{"", 21}) {
		t.Errorf("found %+v", h)
	}
	if _, err := ReadHeader(data[:len(data)/2]); err == nil {
		t.Error("expected an error for half a file")
	}
}
