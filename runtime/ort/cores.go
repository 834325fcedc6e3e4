package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// PhysicalCores is the number of physical cores given to the process: processor affinity, a container's CPU quota
// and GOMAXPROCS all count, hyper-threads do not. At least 1.
func PhysicalCores() int {
	return max(1, min(physicalCores("/sys/devices/system/cpu", allowedCPUs()), runtime.GOMAXPROCS(0)))
}

// physicalCores counts the distinct cores of the processors below a sysfs folder; where the kernel does not say, a
// processor is a core.
func physicalCores(sysfs string, cpus []int) int {
	cores := map[string]bool{}
	for _, cpu := range cpus {
		siblings, err := os.ReadFile(filepath.Join(sysfs, fmt.Sprintf("cpu%d", cpu), "topology", "thread_siblings_list"))
		if err != nil {
			siblings = []byte(fmt.Sprint(cpu))
		}
		cores[strings.TrimSpace(string(siblings))] = true
	}
	return len(cores)
}

func countUp(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
