package score

import (
	"slices"
	"time"

	"rnas/compiler/lower"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
)

func params(s *subject) (float64, error) {
	list, err := lower.Params(s.net, false)
	return float64(lower.Count(list)), err
}

func macs(s *subject) (float64, error) {
	n, err := lower.MACs(s.net)
	return float64(n), err
}

// Runs of the latency measurement.
const (
	latencyWarmup = 5
	latencyRuns   = 51
)

// latency is the median time of inference of one image in milliseconds.
func latency(s *subject) (float64, error) { return Latency(s.net, s.Seed, s.runtime) }

// Latency is the median time, in milliseconds, of inference of one grey image by a network in the deployed form, at the initial weights
// of a seed. It is measured.
func Latency(net lower.Evaluation, seed uint64, o ort.Options) (float64, error) {
	layout, err := program.NewLayout(net)
	if err != nil {
		return 0, err
	}
	params, stats := layout.Init(seed)
	g, err := program.Deploy(net, layout, params, stats, 1, true)
	if err != nil {
		return 0, err
	}
	if err := pass.Run(g, runtime.ForwardPasses(o.Provider)); err != nil {
		return 0, err
	}
	model, err := export.Marshal(g, export.Options{})
	if err != nil {
		return 0, err
	}
	session, err := ort.NewSession(model, o)
	if err != nil {
		return 0, err
	}
	defer session.Close() // frees memory only
	m := net.Macro
	in := []*tensor.Tensor{tensor.Zeros(tensor.Float32, 1, int64(m.Depth), int64(m.Height), int64(m.Width))}
	for i := range in[0].Float32s() {
		in[0].Float32s()[i] = 0.5
	}
	out := []*tensor.Tensor{tensor.Zeros(tensor.Float32, 1, int64(m.Classes))}
	var samples []time.Duration
	for i := range latencyWarmup + latencyRuns {
		begin := time.Now()
		if err := session.Run(in, out); err != nil {
			return 0, err
		}
		if i >= latencyWarmup {
			samples = append(samples, time.Since(begin))
		}
	}
	slices.Sort(samples)
	return samples[len(samples)/2].Seconds() * 1e3, nil
}
