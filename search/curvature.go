package search

import (
	"math"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/internal/carry"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
)

// probeAlphas is the state of the architecture parameters at which a curvature is measured.
const probeAlphas = "probe_alphas"

// curvature measures the largest eigenvalue of the Hessian of the validation loss with respect to the architecture parameters.
type curvature struct {
	*runtime.Running
	state *ort.Store
}

func newCurvature(st *ort.Store, net lower.Supernet) (*curvature, error) {
	probe := carry.Initial{State: probeAlphas, Value: tensor.Zeros(tensor.Float32, net.AlphaShape()...)}
	return &curvature{state: st}, st.AddAll([]carry.Initial{probe})
}

// Settings of the power iteration: products with the Hessian are central differences of gradients over this length.
const (
	powerSteps  = 8
	powerLength = 1e-2
)

// largest is the absolutely largest eigenvalue by power iteration, on the images and labels that are in the program's inputs, from
// a direction drawn for the epoch.
func (c *curvature) largest(seed uint64, epoch int) (float64, error) {
	alphas := c.state.Get(program.Alphas).Float32s()
	probe, gradient := c.state.Get(probeAlphas).Float32s(), c.Output("gradient").Float32s()
	v := make([]float32, len(alphas))
	draw := rng.New(seed, rng.Probe, epoch, 0, 0)
	draw.FillNormal(v, 1)
	value := 0.0
	for range powerSteps {
		length := 0.0
		for _, x := range v {
			length += float64(x) * float64(x)
		}
		if length = math.Sqrt(length); length == 0 {
			return 0, nil
		}
		next := make([]float32, len(v))
		for _, side := range []float64{1, -1} {
			for i := range probe {
				v64 := float64(v[i]) / length
				probe[i] = alphas[i] + float32(side*powerLength*v64)
			}
			if err := c.Step(); err != nil {
				return 0, err
			}
			for i, g := range gradient {
				next[i] += float32(side/(2*powerLength)) * g
			}
		}
		value = 0
		for i, x := range next {
			value += float64(x) * float64(v[i]) / length
		}
		v = next
	}
	return math.Abs(value), nil
}
