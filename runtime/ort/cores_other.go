//go:build !linux

package ort

import "runtime"

// allowedCPUs lists the processors that the process may run on.
func allowedCPUs() []int { return countUp(runtime.NumCPU()) }
