// Command agreement measures how well the gradient of a regularizer under noise, by the architecture of a supernet, agrees with the one under FGSM:
//
//	go run ./tools/agreement --data folder:cifar10.tar.gz --space darts --channels 4 --layers 3
//
// It prints the tables of docs/results/gradient-agreement.md, which says what is measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/runtime/ort"
)

// settings are the flags.
type settings struct {
	super               lower.Supernet
	batch               int
	steps, stops        int // of the search between two stops, and their number
	measured, reference int // batches
}

func main() {
	var s settings
	data := flag.String("data", "", "source of images, as rnas has it")
	space := flag.String("space", "darts", "search space")
	channels := flag.Int("channels", 4, "channels of the first cells")
	layers := flag.Int("layers", 3, "cells")
	seeds := flag.Int("seeds", 3, "searches, of seeds 0, 1, ..., at the same time")
	flag.IntVar(&s.batch, "batch", 16, "images of a batch")
	flag.IntVar(&s.steps, "steps", 40, "steps of the search between two stops")
	flag.IntVar(&s.stops, "stops", 3, "stops of the search")
	flag.IntVar(&s.measured, "measured", 8, "batches of an arm at a stop, an even number")
	flag.IntVar(&s.reference, "reference", 16, "batches of the FGSM gradient at a stop")
	flag.Parse()
	if err := run(s, *data, *space, *channels, *layers, *seeds); err != nil {
		fmt.Fprintln(os.Stderr, "agreement:", err)
		os.Exit(1)
	}
}

func run(s settings, data, name string, channels, layers, seeds int) error {
	space, err := genotype.LookupSpace(name)
	if err != nil {
		return fmt.Errorf("space: %w", err)
	}
	if _, err := ort.OpenDefault(""); err != nil {
		return err
	}
	splits, err := dataset.Open(context.Background(), data, dataset.Options{})
	if err != nil {
		return err
	}
	d := halved(splits.Train)
	s.super = lower.Supernet{Space: space, Macro: lower.Macro{
		Channels: channels, Layers: layers, Classes: len(d.Classes), Depth: d.Shape[0], Height: d.Shape[1], Width: d.Shape[2],
	}}
	tables, errs := make([]table, seeds), make([]error, seeds)
	var wait sync.WaitGroup
	for seed := range seeds {
		wait.Go(func() { errs[seed] = s.measure(d, uint64(seed), &tables[seed]) })
	}
	wait.Wait()
	var all table
	for seed := range seeds {
		if errs[seed] != nil {
			return fmt.Errorf("seed %d: %w", seed, errs[seed])
		}
		all.append(&tables[seed])
	}
	return all.write(os.Stdout)
}

// halved is a data set whose pixels are the rounded means of 2x2.
func halved(d *dataset.Dataset) *dataset.Dataset {
	h, w := d.Shape[1]/2, d.Shape[2]/2
	out := &dataset.Dataset{Name: d.Name, Classes: d.Classes, Shape: [3]int{d.Shape[0], h, w}, Labels: d.Labels}
	out.Images = make([]uint8, 0, len(d.Labels)*out.Elems())
	for plane := range len(d.Labels) * d.Shape[0] {
		from := d.Images[plane*d.Shape[1]*d.Shape[2]:]
		for y := range h {
			for x := range w {
				at := 2*y*d.Shape[2] + 2*x
				sum := int(from[at]) + int(from[at+1]) + int(from[at+d.Shape[2]]) + int(from[at+d.Shape[2]+1])
				out.Images = append(out.Images, uint8((sum+2)/4))
			}
		}
	}
	return out
}
