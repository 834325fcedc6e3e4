package main

import (
	"github.com/spf13/pflag"

	"rnas/bench/adapt"
	"rnas/internal/fault"
)

// chosenBatch is the batch size of graphs that need one where nobody says it.
const chosenBatch = 1

// modelFlags say what a model takes where its file does not. Every command that reads a model has them.
type modelFlags struct {
	adapt.Flags
	image imageValue
}

// add declares the flags.
func (m *modelFlags) add(f *pflag.FlagSet) {
	f.Float64SliceVar(&m.Mean, "mean", nil, "what the model wants subtracted from each channel, in the range and order of channels that it takes")
	f.Float64SliceVar(&m.Std, "std", nil, "what the model wants each channel divided by after that")
	f.StringVar(&m.Pixels, "pixels", "", "range of the pixels that the model takes: 0..1, 0..255, -1..1 (default: what its metadata say, or 0..1)")
	f.BoolVar(&m.BGR, "bgr", false, "the model takes blue first")
	f.StringVar(&m.Layout, "layout", "", "layout of the images that the model takes: nchw, nhwc (default: what its dimensions say)")
	f.Var(&m.image, "shape", "size of the images, where the model leaves it open, such as 3x224x224 (default: that of the data)")
	f.StringVar(&m.Output, "output", "", "output that holds the logits (default: the only one of their form, or the one named logits)")
}

// read is the flags as they were given. Errors name the flag.
func (m *modelFlags) read() (adapt.Flags, error) {
	if m.image != (imageValue{}) {
		m.Shape = []int64{int64(m.image.depth), int64(m.image.height), int64(m.image.width)}
	}
	return m.Flags, fault.Input(m.Validate())
}
