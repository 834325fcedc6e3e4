package page

import (
	"encoding/json"
	"fmt"

	"rnas/train"
	"rnas/train/loop"
)

// trainCurves are the charts of a training.
var trainCurves = []curve[train.Epoch]{
	{title: "Loss", about: "Mean over the images learnt from, as the recipe makes them.", series: []series[train.Epoch]{
		{"loss", func(e train.Epoch) *float64 { return &e.Loss }},
	}},
	{title: "Accuracy", about: "Of the images learnt from, as the recipe makes them, and of clean test images.", within: [2]float64{0, 1}, series: []series[train.Epoch]{
		{"learnt from", func(e train.Epoch) *float64 { return &e.Accuracy }},
		{"clean test images", func(e train.Epoch) *float64 { return e.ValAccuracy }},
	}},
	{title: "Learning rate", about: "At the last step of each epoch.", within: [2]float64{0, 0}, series: []series[train.Epoch]{
		{"learning rate", func(e train.Epoch) *float64 { return &e.LR }},
	}},
}

func trainNumber(e train.Epoch) int { return e.Epoch }

// readTraining makes the page of a training from the lines of its log.
func readTraining(_ string, config json.RawMessage, lines []json.RawMessage) (*Page, error) {
	var c struct {
		train.Config
		Train string `json:"train_digest"`
		Test  string `json:"test_digest"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, fmt.Errorf("%s: line 1: %w", loop.LogFile, err)
	}
	epochs, err := decode(lines, trainNumber)
	if err != nil {
		return nil, err
	}
	p := &Page{Sources: loop.LogFile, Title: fmt.Sprintf("Training by the recipe %s", c.Recipe), Settings: trainSettings(c.Config, c.Train, c.Test)}
	g := c.Network.Genotype
	size, err := sizeText(c.Network.Macro, g)
	if err != nil {
		return nil, err
	}
	var r rows
	r.add("progress", "%d of %s", len(epochs), counted(c.Epochs, "epoch"))
	if n := len(epochs); n > 0 {
		last, seconds := epochs[n-1], 0.0
		for _, e := range epochs {
			seconds += e.Seconds
			if e.ValAccuracy != nil {
				last.ValAccuracy = e.ValAccuracy
			}
		}
		r.add("images learnt from", "accuracy %.4f, loss %.4f", last.Accuracy, last.Loss)
		if last.ValAccuracy != nil {
			r.add("clean test images", "accuracy %.4f", *last.ValAccuracy)
		}
		r.add("cost", "%.1f s of steps, %.1f s an epoch", seconds, seconds/float64(n))
	}
	r.add("network", "%s: %s", macroText(c.Network.Macro), size)
	r.add("genotype", "%s", g)
	p.Results = r
	drawAll(p, trainCurves, epochs, trainNumber)
	p.Cell, err = picture(g)
	return p, err
}

// trainSettings puts a configuration into words.
func trainSettings(c train.Config, trainDigest, testDigest string) []Row {
	var r rows
	r.add("recipe", "%s: %s", c.Recipe, c.Recipe.About())
	if c.Recipe.Attacks() {
		statistics := "running"
		if c.AttackTrain {
			statistics = "batch"
		}
		r.add("attack", "%s, from %s, on %s statistics", attackText(c.Attack), noiseText(c.Start), statistics)
	}
	if c.Beta > 0 {
		r.add("divergence", "weight %g", c.Beta)
	}
	r.add("length", "%s of batches of %s", counted(c.Epochs, "epoch"), counted(c.Batch, "image"))
	r.add("learning rate", "%s", scheduleText(c.Schedule))
	r.add("optimizer", "SGD: %s", sgdText(c.SGD))
	if c.Average > 0 {
		r.add("average", "a moving average of the weights of decay %g is kept", c.Average)
	}
	if c.Smoothing > 0 {
		r.add("label smoothing", "%g", c.Smoothing)
	}
	if c.Network.Aux {
		r.add("auxiliary head", "loss of weight %g", c.AuxWeight)
	}
	if c.DropPath > 0 {
		r.add("drop path", "probability rising to %g", c.DropPath)
	}
	r.add("augmentation", "%s", augmentText(c.Augment))
	if c.ValidateEvery > 0 {
		images := "all test images"
		if c.ValidateImages > 0 {
			images = fmt.Sprintf("at most %s of the test", counted(c.ValidateImages, "image"))
		}
		every := "every epoch"
		if c.ValidateEvery > 1 {
			every = fmt.Sprintf("every %d epochs", c.ValidateEvery)
		}
		r.add("validation", "clean accuracy on %s after %s", images, every)
	}
	r.add("seed", "%d", c.Seed)
	r.add("images", "SHA-256 %s for training, %s for tests", trainDigest, testDigest)
	return r
}
