//go:build cgo

package ort

import (
	"maps"
	"slices"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// provider says how to add an execution provider to a session.
type provider struct {
	add      func(so *onnxruntime.SessionOptions, config map[string]string) error // nil for the CPU, which is always there
	device   string                                                               // name of the option that holds the device number
	compiles bool                                                                 // turns subgraphs into engines instead of picking a kernel per node
}

var providers = map[Provider]provider{
	CPU:        {},
	CUDA:       {add: addCUDA, device: "device_id"},
	"tensorrt": {add: addTensorRT, device: "device_id", compiles: true},
	"openvino": {add: (*onnxruntime.SessionOptions).AppendExecutionProviderOpenVINO, compiles: true},
	"coreml":   {add: (*onnxruntime.SessionOptions).AppendExecutionProviderCoreMLV2, compiles: true},
	"xnnpack":  generic("XNNPACK", "", true),
	"qnn":      generic("QNN", "", true),
	"webgpu":   generic("WebGPU", "deviceId", false),
	"migraphx": generic("MIGraphX", "device_id", true),
}

// ProviderNames lists the execution providers that this package can ask a library for, sorted.
func ProviderNames() []string {
	var names []string
	for _, p := range slices.Sorted(maps.Keys(providers)) {
		names = append(names, string(p))
	}
	return names
}

func generic(name, device string, compiles bool) provider {
	return provider{
		add: func(so *onnxruntime.SessionOptions, config map[string]string) error {
			return so.AppendExecutionProvider(name, config)
		},
		device:   device,
		compiles: compiles,
	}
}

func addCUDA(so *onnxruntime.SessionOptions, config map[string]string) error {
	o, err := onnxruntime.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer o.Destroy()
	if err := o.Update(config); err != nil {
		return err
	}
	return so.AppendExecutionProviderCUDA(o)
}

func addTensorRT(so *onnxruntime.SessionOptions, config map[string]string) error {
	o, err := onnxruntime.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer o.Destroy()
	if err := o.Update(config); err != nil {
		return err
	}
	return so.AppendExecutionProviderTensorRT(o)
}

// Providers says of every name in ProviderNames whether the library offers it. The wrapper has no call that lists
// them, so each one is added to a session that is then dropped: this also loads the provider's own libraries, and
// Problem says what is missing. Computed once.
func (l *Library) Providers() []Offer {
	l.probe.Do(func() {
		for _, name := range slices.Sorted(maps.Keys(providers)) {
			p := Offer{Name: name}
			if err := keepSignals(func() error { return tryProvider(name) }); err != nil {
				p.Problem = err.Error()
			}
			l.providers = append(l.providers, p)
		}
	})
	return slices.Clone(l.providers)
}

func tryProvider(name Provider) error {
	p := providers[name]
	if p.add == nil {
		return nil
	}
	so, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return err
	}
	defer so.Destroy()
	config := map[string]string{}
	if p.device != "" {
		config[p.device] = "0"
	}
	return p.add(so, config)
}

// offered lists the names of the available providers.
func (l *Library) offered() []Provider {
	var out []Provider
	for _, p := range l.Providers() {
		if p.Available() {
			out = append(out, p.Name)
		}
	}
	return out
}
