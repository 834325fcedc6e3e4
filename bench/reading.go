package bench

import (
	"context"
	"path/filepath"

	"rnas/bench/adapt"
	"rnas/bench/report"
	"rnas/export"
	"rnas/runtime/ort"
)

// readingPoints is the number of images on which other readings of a model are tried.
const readingPoints = 200

// usual are the readings of pixels that models are trained with, beside 0 to 1: torchvision's, those of the public CIFAR and MNIST code, and
// Caffe's. Channels of 1 take those of one number, channels of 3 all others.
var usual = []struct {
	channels int64 // 0 for any
	flags    adapt.Flags
}{
	{0, adapt.Flags{Pixels: adapt.Unit}},
	{0, adapt.Flags{Pixels: adapt.Byte}},
	{0, adapt.Flags{Pixels: adapt.Signed}},
	{3, adapt.Flags{Pixels: adapt.Unit, Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}},
	{3, adapt.Flags{Pixels: adapt.Unit, Mean: []float64{0.4914, 0.4822, 0.4465}, Std: []float64{0.2470, 0.2435, 0.2616}}},
	{3, adapt.Flags{Pixels: adapt.Byte, Mean: []float64{123.675, 116.28, 103.53}, Std: []float64{58.395, 57.12, 57.375}}},
	{1, adapt.Flags{Pixels: adapt.Unit, Mean: []float64{0.1307}, Std: []float64{0.3081}}},
}

// others lists the usual readings of images of so many channels, each red first and blue first, in the layout of the file and, where that
// fits, with channels last. What says nothing of pixels is as in given.
func others(given adapt.Flags, channels int64) []adapt.Flags {
	var list []adapt.Flags
	for _, u := range usual {
		if u.channels != 0 && u.channels != channels {
			continue
		}
		for _, layout := range []string{given.Layout, adapt.NHWC} {
			for _, blue := range []bool{false, true} {
				f := u.flags
				f.Layout, f.Shape, f.Output, f.BGR = layout, given.Shape, given.Output, blue
				if blue && channels != 3 || layout == adapt.NHWC && given.Layout != "" {
					continue
				}
				if f.Pixels == adapt.Unit && len(given.Mean)+len(f.Mean) == 0 && given.Pixels == "" {
					f.Pixels = "" // what is the default needs no flag
				}
				list = append(list, f)
			}
		}
	}
	return list
}

// readings flags a reading of the pixels under which the model is right on more of the first images than as it was read, by more than chance:
// the 95% intervals do not meet.
func (s *subject) readings(ctx context.Context, all []int) ([]report.Flag, error) {
	probe := all[:min(readingPoints, len(all))]
	now, err := s.rightBy(s.model, probe)
	if err != nil {
		return nil, err
	}
	best, line := now, ""
	tried := map[string]bool{s.model.flags.Text(): true}
	for _, f := range others(s.model.flags, s.model.image[0]) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if tried[f.Text()] {
			continue
		}
		tried[f.Text()] = true
		right, err := s.try(f, probe)
		if err != nil {
			continue // a layout that does not fit
		}
		if right > best {
			best, line = right, f.Text()
		}
	}
	if line == "" || report.Wilson(best, len(probe))[0] <= report.Wilson(now, len(probe))[1] {
		return nil, nil
	}
	share := func(n int) float64 { return 100 * float64(n) / float64(len(probe)) }
	return []report.Flag{report.NewFlag(report.FlagReading, "%s gives %.1f%% of %d images instead of %.1f%%", line, share(best), len(probe), share(now))}, nil
}

// try is the number of points that the model is right about when it is read with flags.
func (s *subject) try(f adapt.Flags, points []int) (int, error) {
	m := *s.model
	a, err := adapt.Read(m.bytes, filepath.Dir(m.path), f, m.images, adapt.Size{Fixed: int64(m.batch)})
	if err != nil {
		return 0, err
	}
	if m.runs, err = export.Marshal(a.Graph, export.Options{}); err != nil {
		return 0, err
	}
	o := s.job.Runtime
	if m.session, err = ort.NewSession(m.runs, o.Beside(m.path)); err != nil {
		return 0, err
	}
	defer m.session.Close()
	return s.rightBy(&m, points)
}

// rightBy is the number of points that a model, which takes the batches of the subject, is right about.
func (s *subject) rightBy(m *model, points []int) (int, error) {
	right := 0
	for from := 0; from < len(points); from += m.batch {
		batch := points[from:min(len(points), from+m.batch)]
		s.fill(batch)
		logits, err := m.logits(s.images)
		if err != nil {
			return 0, err
		}
		for row, p := range batch {
			if predict(m.row(logits, row)) == int(s.job.data.Labels[p]) {
				right++
			}
		}
	}
	return right, nil
}
