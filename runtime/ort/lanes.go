package ort

import (
	"cmp"
	"sync"
	"sync/atomic"
)

// crew runs the lanes of a Stepper on some goroutines.
type crew struct {
	run     func(i int) error
	lanes   int32
	workers int
	work    func() // a method value, so that starting it allocates nothing
	next    atomic.Int32
	wait    sync.WaitGroup
	mu      sync.Mutex
	err     error
}

func newCrew(lanes, workers int, run func(i int) error) *crew {
	c := &crew{run: run, lanes: int32(lanes), workers: workers}
	c.work = c.take
	return c
}

// all runs every lane and returns an error of one that failed; the others end first.
func (c *crew) all() error {
	c.next.Store(0)
	c.err = nil
	c.wait.Add(c.workers)
	for range c.workers - 1 {
		go c.work()
	}
	c.work()
	c.wait.Wait()
	return c.err
}

// take runs lanes until none is left.
func (c *crew) take() {
	defer c.wait.Done()
	for i := c.next.Add(1) - 1; i < c.lanes; i = c.next.Add(1) - 1 {
		if err := c.run(int(i)); err != nil {
			c.mu.Lock()
			c.err = cmp.Or(c.err, err)
			c.mu.Unlock()
		}
	}
}
