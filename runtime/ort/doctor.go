package ort

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/cpu"
)

// Report says what a machine offers for running models, and what is missing.
type Report struct {
	OS           string      `json:"os"`
	Arch         string      `json:"arch"`
	Candidates   []Candidate `json:"candidates"`             // every place where the library was looked for, in order
	Library      string      `json:"library,omitempty"`      // the file in use
	Version      string      `json:"version,omitempty"`      // of that library
	MinVersion   string      `json:"min_version"`            // the oldest that is accepted
	Providers    []Offer     `json:"providers,omitempty"`    // of that library
	Cores        int         `json:"cores"`                  // physical, given to the process; the default thread count
	CPUs         int         `json:"cpus"`                   // logical, given to the process
	CPUFeatures  []string    `json:"cpu_features,omitempty"` // vector extensions, weakest first
	MemoryBytes  uint64      `json:"memory_bytes,omitempty"` // installed, or the container's limit when lower; 0 when unknown
	Problems     []string    `json:"problems,omitempty"`     // what does not work
	Installation []string    `json:"installation,omitempty"` // what to do about it
}

// Doctor examines the machine. It loads the library that Find(explicit) returns, and reports a failure to do so in
// the report, not as an error.
func Doctor(explicit string) Report {
	r := Report{
		OS:          runtime.GOOS,
		Arch:        runtime.GOARCH,
		Candidates:  Candidates(explicit),
		MinVersion:  MinVersion,
		Cores:       PhysicalCores(),
		CPUs:        runtime.NumCPU(),
		CPUFeatures: cpuFeatures(),
		MemoryBytes: memory(),
	}
	l, err := OpenDefault(explicit)
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
		r.Installation = append(r.Installation, remedy(err))
		return r
	}
	r.Library, r.Version, r.Providers = l.Path(), l.Version(), l.Providers()
	for _, p := range r.Providers {
		if p.Name == CUDA && !p.Available() {
			r.Installation = append(r.Installation, "for CUDA: RNAS_ORT=gpu tools/fetch-onnxruntime.sh, with CUDA and cuDNN on the library path")
		}
	}
	return r
}

func remedy(err error) string {
	switch {
	case errors.Is(err, ErrNoCgo):
		return "rebuild with CGO_ENABLED=1 and a C compiler"
	case errors.Is(err, ErrOldLibrary):
		return fmt.Sprintf("install ONNX Runtime %s or newer: %s", MinVersion, installHint)
	}
	return installHint
}

// cpuFeatures lists the vector extensions that ONNX Runtime's kernels choose by.
func cpuFeatures() []string {
	var out []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"SSE4.1", cpu.X86.HasSSE41},
		{"AVX", cpu.X86.HasAVX},
		{"FMA", cpu.X86.HasFMA},
		{"AVX2", cpu.X86.HasAVX2},
		{"AVX-512F", cpu.X86.HasAVX512F},
		{"AVX-512BW", cpu.X86.HasAVX512BW},
		{"AVX-512DQ", cpu.X86.HasAVX512DQ},
		{"AVX-512VL", cpu.X86.HasAVX512VL},
		{"AVX-512-VNNI", cpu.X86.HasAVX512VNNI},
		{"AVX-512-BF16", cpu.X86.HasAVX512BF16},
		{"AMX-TILE", cpu.X86.HasAMXTile},
		{"NEON", cpu.ARM64.HasASIMD},
		{"FP16", cpu.ARM64.HasASIMDHP},
		{"DOTPROD", cpu.ARM64.HasASIMDDP},
		{"SVE", cpu.ARM64.HasSVE},
	} {
		if f.has {
			out = append(out, f.name)
		}
	}
	return out
}
