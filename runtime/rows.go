package runtime

import (
	"cmp"

	"rnas/compiler/program"
	"rnas/runtime/ort"
)

// LaunchRows compiles and launches a program that treats the rows of a batch each by itself, such as evaluation or an attack.
// compile makes it for so many rows, the first dimension of all inputs and outputs but states, which it only reads; pixels is the
// size H*W of a row's image. On the CPU threads work on groups of rows of their own: they do not wait for each other in every
// operator, and a small group stays in the cache. It pays where weights are constant: others are laid out anew for every group.
// Buffers of the result hold the whole batch; what is computed does not depend on the number of threads unless there are more of
// them than groups, but a row by itself may be rounded otherwise than one among several.
func LaunchRows(batch, pixels int, st *ort.Store, o ort.Options, compile func(rows int) (*program.Program, error)) (*Running, error) {
	lanes, workers := 1, 1
	if o.Provider.IsCPU() {
		o.Threads = cmp.Or(o.Threads, ort.PhysicalCores())
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
