package dataset

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// Options says how much of a source Open reads.
type Options struct {
	Progress func(done, total int) // called now and then with images done, from one goroutine at a time; may be nil
	Workers  int                   // goroutines which decode images, 0 for one a processor
	Limit    int                   // as the option limit of the source; the lesser of the two counts, 0 for none
	// Only is the part that is needed: train, test, val or all. The others may have no images then. "" is for train and test.
	Only string
}

// Open reads the data source described by spec (see ParseSpec). Errors name the file and the place in it, what was
// expected and what was found.
func Open(ctx context.Context, spec string, opts Options) (*Splits, error) {
	s, err := ParseSpec(spec)
	if err != nil {
		return nil, err
	}
	source := lookup(s.Kind)
	splits, err := source.open(ctx, s, opts)
	if err == nil && source.path {
		err = splits.finish(s)
	}
	if err != nil {
		if s.Path != "" {
			err = fmt.Errorf("%s: %w", s.Path, err)
		}
		return nil, err
	}
	for part, limit := range map[*Dataset]int{splits.Train: s.Train, splits.Test: s.Test, splits.Val: s.Test} {
		if part != nil {
			*part = *part.Limit(lesser(lesser(s.Limit, opts.Limit), limit), s.Seed)
		}
	}
	for _, part := range splits.parts() {
		part.d.Name = spec + " " + part.name
		if part.d == splits.Test && splits.valAsTest {
			part.d.Name = spec + " val"
		}
	}
	return splits, nil
}

// finish does to the parts of a source of files what its options ask for and its reader has not done yet.
func (s *Splits) finish(spec Spec) error {
	if spec.Kind != "folder" {
		if err := s.each(transform{spec.Resize, spec.Crop}.all); err != nil {
			return err
		}
		if spec.ClassIndex != "" {
			index, err := readClassIndex(spec.ClassIndex)
			if err != nil {
				return err
			}
			if err := s.each(index.cover); err != nil {
				return err
			}
		}
	}
	if spec.Size == 0 {
		return nil
	}
	return s.each(func(d *Dataset) (*Dataset, error) {
		if d.Len() == 0 {
			return &Dataset{Classes: d.Classes, Numbered: d.Numbered, Shape: [3]int{d.Shape[0], spec.Size, spec.Size}}, nil
		}
		return d.Shrink(spec.Size)
	})
}

// namedPart is a part of a source that is there.
type namedPart struct {
	name string
	d    *Dataset
}

func (s *Splits) parts() []namedPart {
	list := []namedPart{{"train", s.Train}, {"test", s.Test}}
	if s.Val != nil {
		list = append(list, namedPart{"val", s.Val})
	}
	return list
}

// Part is the part of that name: train, test, val, or all of them together. It is an error if the source has no image of it.
func (s *Splits) Part(name string) (*Dataset, error) {
	var has []string
	var filled []*Dataset
	for _, p := range s.parts() {
		if p.d.Len() > 0 {
			filled, has = append(filled, p.d), append(has, p.name)
		}
		if p.name == name && p.d.Len() > 0 {
			return p.d, nil
		}
	}
	switch {
	case name == "val" && s.valAsTest:
		return s.Test, nil
	case name == "all" && len(filled) > 0:
		return Join(filled...), nil
	case len(has) == 0:
		has = []string{"none"}
	}
	return nil, fmt.Errorf("expected images of the part %s, found those of %s", name, strings.Join(has, " and "))
}

// lesser returns the lesser of two limits, of which 0 is none.
func lesser(a, b int) int {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// forEach calls work(i) for every i of [0, n) on several goroutines and returns the error of the lowest i that has one.
func forEach(ctx context.Context, n int, opts Options, work func(i int) error) error {
	const chunk = 64
	workers := opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next, stop atomic.Int64
	var mu sync.Mutex
	var first error
	done, failed := 0, n
	worker := func() {
		for stop.Load() == 0 && ctx.Err() == nil {
			start := int(next.Add(chunk)) - chunk
			if start >= n {
				return
			}
			i, end := start, min(start+chunk, n)
			var err error
			for ; i < end && err == nil; i++ {
				err = work(i)
			}
			mu.Lock()
			done += i - start
			if err != nil {
				stop.Store(1)
				if i <= failed {
					first, failed = err, i
				}
			}
			if opts.Progress != nil {
				opts.Progress(done, n)
			}
			mu.Unlock()
		}
	}
	var group sync.WaitGroup
	for range min(workers, n/chunk+1) {
		group.Go(worker)
	}
	group.Wait()
	if first == nil {
		first = ctx.Err()
	}
	return first
}
