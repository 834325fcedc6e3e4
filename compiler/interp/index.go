package interp

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// strides is the row-major distance between neighbours along each dimension.
func strides(shape []int64) []int {
	out := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = step
		step *= int(shape[i])
	}
	return out
}

// positions lists base + sum(index[i]*step[i]) for all indices of shape in row-major order.
func positions(shape []int64, step []int, base int) []int {
	out := []int{base}
	for i, d := range shape {
		next := make([]int, 0, len(out)*int(d))
		for _, p := range out {
			for k := range int(d) {
				next = append(next, p+k*step[i])
			}
		}
		out = next
	}
	return out
}

// expand broadcasts data from one shape to another by the rules of numpy; the shapes must be compatible.
func expand[T any](data []T, from, to []int64) []T {
	if slices.Equal(from, to) {
		return data
	}
	var zero T
	return pick(data, expansion(from, to), zero)
}

// expansion lists the element of shape from that each element of shape to repeats.
func expansion(from, to []int64) []int {
	step := make([]int, len(to))
	own := strides(from)
	for i, d := range from {
		if d != 1 {
			step[len(to)-len(from)+i] = own[i]
		}
	}
	return positions(to, step, 0)
}

// blocks is the shape seen from one axis: outer repetitions of n entries of inner elements.
func blocks(shape []int64, axis int) (outer, n, inner int) {
	outer, inner = 1, 1
	for _, d := range shape[:axis] {
		outer *= int(d)
	}
	for _, d := range shape[axis+1:] {
		inner *= int(d)
	}
	return outer, int(shape[axis]), inner
}

// parallel calls f(0) to f(n-1), each exactly once, on all processors. Calls must write to separate memory, so that
// the result does not depend on their order. cost is the rough number of operations of one call.
func parallel(n, cost int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers < 2 || n*cost < 1<<16 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
