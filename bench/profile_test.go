package bench

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/bench/report"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		node, layer string
		backward    bool
	}{
		{"cells.3/_ops.2.sep_conv_3x3/Conv_3/Conv/Conv.out_nchwc", "cells.3/_ops.2.sep_conv_3x3", false},
		{"grad/cells.0/preprocess0/Relu/Relu/Relu/Sign", "cells.0/preprocess0", true},
		{"attack/grad/cells.1/Concat/Slice_3", "cells.1", true},
		{"attack/stem/Conv", "stem", false},
		{"/layer1/layer1.0/conv1/Conv", "layer1/layer1.0/conv1", false},
		{"grad//layer1/layer1.0/conv1/Conv/Conv", "layer1/layer1.0/conv1", true},
		{"ReorderOutput_token_67", "", false},
		{"LogSoftmax", "", false},
		{"node_conv2d_3", "", false},
		{"", "", false},
	} {
		if layer, backward := place(c.node); layer != c.layer || backward != c.backward {
			t.Errorf("%s: expected %q %v, found %q %v", c.node, c.layer, c.backward, layer, backward)
		}
	}
}

// layered is convnet in two scopes.
func layered(b op.B, x *ir.Value) *ir.Value {
	b.In("first", func() { x = b.Relu(b.Conv(x, weights(b, "conv1", 0.3, 8, 3, 3, 3), nil, op.Same(3, 1, 1))) })
	b.In("last", func() {
		x = b.Gemm(b.Flatten(b.MaxPool(x, op.Same(3, 2, 1))), weights(b, "w", 0.3, classes, 8*((height+1)/2)*((width+1)/2)), weights(b, "c", 0.1, classes), false, true)
	})
	return x
}

// TestProfile expects every layer in the profile, the gradient in that of an attack only, loop bodies counted once, and
// times that add up.
func TestProfile(t *testing.T) {
	d := images(20, classes, 0, 255)
	const steps = 5
	o := options(t, "fgsm,pgd5")
	o.Batch, o.Dir, o.Profile = 8, t.TempDir(), true
	m := run(t, o, d, save(t, "layered", -1, layered)).Models[0]
	if len(m.Profiles) != 3 {
		t.Fatalf("expected 3 profiles, found %+v", m.Profiles)
	}
	for i, name := range []string{"forward", "fgsm", "pgd5"} {
		p := m.Profiles[i]
		sum, convolutions := p.Outside, 0.0
		seen := map[string]bool{}
		for _, r := range p.Rows {
			sum += r.Millis
			seen[r.Layer] = true
			seen["backward"] = seen["backward"] || r.Backward
			if r.Layer == "first" && r.Operator == "Conv" && !r.Backward {
				convolutions += r.Calls
			}
		}
		want := 1.0
		if name == "pgd5" {
			want = steps
		}
		if p.Program != name || p.Batch != 8 || p.Runs == 0 || !seen["first"] || !seen["last"] || seen["backward"] != (i > 0) || convolutions != want {
			t.Errorf("%s: found %g convolutions in %+v", name, convolutions, p)
		}
		if math.Abs(sum-p.Millis) > 1e-6*p.Millis || p.Millis <= 0 {
			t.Errorf("%s: times add up to %g, expected %g", name, sum, p.Millis)
		}
		total := 0.0
		for _, r := range p.Sum(report.ByLayer) {
			total += r.Millis
			if r.Operator != "" {
				t.Errorf("%s: found operator %s in a sum by layer", name, r.Operator)
			}
		}
		if math.Abs(total+p.Outside-p.Millis) > 1e-6*p.Millis {
			t.Errorf("%s: layers add up to %g", name, total)
		}
	}
	var written []struct {
		Path     string           `json:"path"`
		Profiles []report.Profile `json:"profiles"`
	}
	data, err := os.ReadFile(filepath.Join(o.Dir, "profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &written); err != nil || len(written) != 1 || len(written[0].Profiles) != 3 || !strings.HasSuffix(written[0].Path, "layered.onnx") {
		t.Errorf("found %+v, %v", written, err)
	}
}
