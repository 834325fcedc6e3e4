//go:build cgo

package ort

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

func (l Level) ort() (onnxruntime.GraphOptimizationLevel, error) {
	switch l {
	case LevelOff:
		return onnxruntime.GraphOptimizationLevelDisableAll, nil
	case LevelBasic:
		return onnxruntime.GraphOptimizationLevelEnableBasic, nil
	case LevelExtended:
		return onnxruntime.GraphOptimizationLevelEnableExtended, nil
	case LevelAll:
		return onnxruntime.GraphOptimizationLevelEnableAll, nil
	}
	return 0, fmt.Errorf("unknown optimization level %d", l)
}

// create loads the model into s. A session for another provider than the CPU's is checked for heavy nodes that ended
// up on the CPU, unless the options allow that.
func (s *Session) create(model []byte, o Options) error {
	if s.provider.IsCPU() || o.AllowCPUFallback {
		var err error
		s.ort, err = s.load(model, o, "")
		return err
	}
	dir, err := os.MkdirTemp("", "rnas-placement-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "placed.ort")
	session, err := s.load(model, o, file)
	if err != nil {
		return err
	}
	if err := checkPlacement(file, s.provider); err != nil {
		session.Destroy()
		return err
	}
	if !providers[s.provider].compiles {
		s.ort = session
		return nil
	}
	// A session that writes its placement leaves out the compilation of the provider's subgraphs.
	session.Destroy()
	s.ort, err = s.load(model, o, "")
	return err
}

// load creates one ONNX Runtime session; placement, when not empty, is where it writes the placed graph.
func (s *Session) load(model []byte, o Options, placement string) (*onnxruntime.DynamicAdvancedSession, error) {
	so, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer so.Destroy()
	if err := configure(so, s.provider, o); err != nil {
		return nil, err
	}
	if placement != "" {
		if err := so.AddSessionConfigEntry("session.save_model_format", "ORT"); err != nil {
			return nil, err
		}
		if err := so.SetOptimizedModelFilePath(placement); err != nil {
			return nil, err
		}
	}
	session, err := onnxruntime.NewDynamicAdvancedSessionWithONNXData(model, names(s.in), names(s.out), so)
	if err != nil {
		return nil, fmt.Errorf("load model for provider %q: %w", s.provider, err)
	}
	return session, nil
}

func configure(so *onnxruntime.SessionOptions, provider Provider, o Options) error {
	level, err := o.Optimize.ort()
	if err != nil {
		return err
	}
	if o.Threads < 0 {
		return fmt.Errorf("expected 0 or more threads, found %d", o.Threads)
	}
	if o.Device < 0 {
		return fmt.Errorf("expected device 0 or above, found %d", o.Device)
	}
	if o.MemoryLimit < 0 || o.MemoryLimit > 0 && provider != CUDA {
		return fmt.Errorf("memory limit %d: expected 0 for provider %q, or bytes for %q", o.MemoryLimit, provider, CUDA)
	}
	threads := o.Threads
	if threads == 0 {
		threads = PhysicalCores()
	}
	if err := so.SetGraphOptimizationLevel(level); err != nil {
		return err
	}
	if err := so.SetIntraOpNumThreads(threads); err != nil {
		return err
	}
	if err := so.SetMemPattern(!o.NoMemoryPattern); err != nil {
		return err
	}
	if err := so.SetInterOpNumThreads(1); err != nil {
		return err
	}
	if o.Profile != "" {
		if err := so.EnableProfiling(o.Profile); err != nil {
			return err
		}
	}
	// A program is thousands of small kernels, microseconds apart: threads that sleep between them halve its speed, threads that
	// spin without end take the processor from everyone else.
	config := map[string]string{
		"session.use_deterministic_compute": "1", "session.intra_op.allow_spinning": "1", "session.intra_op.spin_duration_us": "1000",
		"session.use_env_allocators": "1", // see shareArena
	}
	maps.Copy(config, o.Config)
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if err := so.AddSessionConfigEntry(key, config[key]); err != nil {
			return fmt.Errorf("session entry %s=%s: %w", key, config[key], err)
		}
	}
	return appendProvider(so, provider, o)
}

// appendProvider adds the provider, ErrNoProvider when the library cannot.
func appendProvider(so *onnxruntime.SessionOptions, name Provider, o Options) error {
	p, ok := providers[name]
	if !ok {
		return fmt.Errorf("%w: unknown provider %q: expected one of %v", ErrNoProvider, name, ProviderNames())
	}
	if p.add == nil {
		return nil
	}
	config := map[string]string{}
	if p.device != "" {
		config[p.device] = strconv.Itoa(o.Device)
	}
	if name == CUDA {
		// The heuristic search picks the same kernel every time; the exhaustive one depends on timing.
		config["cudnn_conv_algo_search"] = "HEURISTIC"
		config["use_tf32"] = "0"
		if o.MemoryLimit > 0 {
			config["gpu_mem_limit"] = strconv.FormatInt(o.MemoryLimit, 10)
		}
	}
	maps.Copy(config, o.ProviderConfig)
	if err := p.add(so, config); err != nil {
		l := current()
		return fmt.Errorf("%w: %s: %s (ONNX Runtime %s) offers %v: %w", ErrNoProvider, name, l.path, l.version, l.offered(), err)
	}
	return nil
}
