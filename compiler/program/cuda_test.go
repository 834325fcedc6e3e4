//go:build cuda

package program_test

import (
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/program"
	"rnas/internal/tensor"
	"rnas/runtime"
)

// On the CUDA provider, with every heavy operator on the device, networks agree with PyTorch and an attack stays admissible.
func TestCUDA(t *testing.T) {
	o := runtime.Options{Provider: "cuda"}
	for _, f := range fixtures {
		l := load(t, f)
		g, err := program.Deploy(l.net, l.layout, l.params, l.stats, ir.N, true)
		if err != nil {
			t.Fatal(err)
		}
		c, err := program.NewClassifier(g)
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]*tensor.Tensor{"images": l.want["x"], "labels": l.want["y"], "start": tensor.Zeros(tensor.Float32, 4, 3, 32, 32)}
		gradient, err := c.Gradient(4)
		if err != nil {
			t.Fatal(err)
		}
		if d, _ := maxDiff(t, runOn(t, gradient, in, o)["logits"], l.want["logits_eval"]); d > 1e-4 {
			t.Errorf("%s: logits differ by %.2g", f.file, d)
		}
		const eps = 8.0 / 255
		attack, err := c.Attack(program.Attack{Epsilon: eps, StepSize: eps / 4, Steps: 20}, 4)
		if err != nil {
			t.Fatal(err)
		}
		if d, _ := maxDiff(t, runOn(t, attack, in, o)["adversarial"], l.want["x"]); d > eps+1e-6 || d < eps/2 {
			t.Errorf("%s: the attack moves pixels by up to %.3g, expected %.3g", f.file, d, eps)
		}
		step, err := program.Train{Net: l.net, Batch: 4, Recipe: program.Standard, AuxWeight: 0.4}.Compile(l.layout)
		if err != nil {
			t.Fatal(err)
		}
		in["lr"], in["momentum"] = tensor.Vector[float32](0), tensor.Zeros(tensor.Float32, l.layout.ParamLen)
		in["params"], in["stats"] = tensor.Vector(l.params...), tensor.Vector(l.stats...)
		if d, _ := maxDiff(t, runOn(t, step, in, o)["loss"], l.want["loss_train"]); d > 1e-4 {
			t.Errorf("%s: training loss differs by %.2g", f.file, d)
		}
	}
}
