package ort

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// allowedCPUs lists the processors that the process may run on.
func allowedCPUs() []int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return countUp(runtime.NumCPU())
	}
	var out []int
	for cpu := 0; len(out) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			out = append(out, cpu)
		}
	}
	return out
}
