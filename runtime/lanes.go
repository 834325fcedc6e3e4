package runtime

import (
	"cmp"
	"sync"
	"sync/atomic"

	"rnas/compiler/program"
)

// LaunchRows compiles and launches a program that treats the rows of a batch each by itself, such as evaluation or an attack.
// compile makes it for so many rows, the first dimension of all inputs and outputs but states, which it only reads; pixels is the
// size H*W of a row's image. On the CPU threads work on groups of rows of their own: they do not wait for each other in every
// operator, and a small group stays in the cache. It pays where weights are constant: others are laid out anew for every group.
// Buffers of the result hold the whole batch; what is computed does not depend on the number of threads unless there are more of
// them than groups, but a row by itself may be rounded otherwise than one among several.
func LaunchRows(batch, pixels int, st *State, o Options, compile func(rows int) (*program.Program, error)) (*Running, error) {
	lanes, workers := 1, 1
	if onCPU(o.Provider) {
		o.Threads = cmp.Or(o.Threads, PhysicalCores())
		lanes = lanesOf(batch, pixels, o.Threads)
		workers = min(lanes, o.Threads)
		o.Threads -= workers - 1 // those that run lanes work in operators too
	}
	p, err := compile(batch / lanes)
	if err != nil {
		return nil, err
	}
	l, err := load(p, o)
	if err != nil {
		return nil, err
	}
	return l.tie(st, lanes, workers)
}

// fewestPixels is the smallest size of a lane: with fewer, the time that an operator takes to start weighs more than what the cache
// gains.
const fewestPixels = 4 * 32 * 32

// lanesOf divides a batch into the smallest equal groups of rows that have at least fewestPixels, and gives the number of groups; 1
// where there would be fewer groups than threads, which then work inside operators.
func lanesOf(batch, pixels, threads int) int {
	for rows := (fewestPixels + pixels - 1) / max(1, pixels); rows <= batch/max(threads, 1); rows++ {
		if batch%rows == 0 {
			return batch / rows
		}
	}
	return 1
}

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
