package dataset

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Options holds the settings of Open that do not change its result.
type Options struct {
	Progress func(done, total int) // called now and then with images done, from one goroutine at a time; may be nil
	Workers  int                   // goroutines which decode images, 0 for one a processor
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
	if err == nil && source.path && s.Size != 0 {
		splits, err = splits.shrink(s.Size)
	}
	if err != nil {
		if s.Path != "" {
			err = fmt.Errorf("%s: %w", s.Path, err)
		}
		return nil, err
	}
	splits.Train.Name, splits.Test.Name = spec+" train", spec+" test"
	splits.Train = splits.Train.Limit(lesser(s.Limit, s.Train), s.Seed)
	splits.Test = splits.Test.Limit(lesser(s.Limit, s.Test), s.Seed)
	return splits, nil
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
