//go:build !linux

package runtime

import goruntime "runtime"

// allowedCPUs lists the processors that the process may run on.
func allowedCPUs() []int { return countUp(goruntime.NumCPU()) }
