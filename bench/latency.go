package bench

import (
	"context"
	"math"
	"slices"
	"time"

	"rnas/bench/report"
	"rnas/internal/dataset"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// Sizes of the latency measurement: after a warm-up, samples are taken until there are latencySamples, or until latencyBudget is over and
// there are latencyFewest.
const (
	latencyWarmup  = 5
	latencyFewest  = 20
	latencySamples = 200
	latencyBudget  = 10 * time.Second
)

// latency measures plain inference of a batch of 1 and of the batch of the benchmark. Where the file fixes the batch, it measures that one.
func (s *subject) latency(ctx context.Context) (*report.Latency, error) {
	l := &report.Latency{Threads: s.job.Runtime.Threads}
	if l.Threads == 0 {
		l.Threads = ort.PhysicalCores()
	}
	batches := []int{s.model.batch}
	if s.model.free {
		batches = slices.Compact([]int{1, min(s.job.Batch, s.job.data.Len())})
	}
	for _, b := range batches {
		run, err := s.time(ctx, b)
		if err != nil {
			return nil, err
		}
		l.Runs = append(l.Runs, run)
	}
	return l, nil
}

// time measures plain inference of batches of the given size.
func (s *subject) time(ctx context.Context, batch int) (report.LatencyRuns, error) {
	run := report.LatencyRuns{Batch: batch}
	images := tensor.Zeros(tensor.Float32, int64(batch), int64(s.job.data.Shape[0]), int64(s.job.data.Shape[1]), int64(s.job.data.Shape[2]))
	index := make([]int, batch)
	for i := range index {
		index[i] = i % s.job.data.Len()
	}
	s.job.data.Fill(images.Float32s(), make([]int64, batch), index, dataset.Augment{}, 0, 0)
	var samples []time.Duration
	begin := time.Now()
	for i := -latencyWarmup; i < latencySamples; i++ {
		if err := ctx.Err(); err != nil {
			return run, err
		}
		if i > latencyFewest && time.Since(begin) > latencyBudget {
			break
		}
		start := time.Now()
		if _, err := s.model.session.RunAlloc([]*tensor.Tensor{images}); err != nil {
			return run, err
		}
		if i >= 0 {
			samples = append(samples, time.Since(start))
		}
	}
	total := time.Duration(0)
	for _, d := range samples {
		total += d
	}
	slices.Sort(samples)
	run.Samples = len(samples)
	run.P50, run.P90, run.P99 = percentile(samples, 0.5), percentile(samples, 0.9), percentile(samples, 0.99)
	run.ImagesPerSecond = float64(batch*len(samples)) / total.Seconds()
	return run, nil
}

// percentile is the smallest sample, in milliseconds, that at least a share q of the sorted samples does not exceed.
func percentile(sorted []time.Duration, q float64) float64 {
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[max(i, 0)].Seconds() * 1e3
}
