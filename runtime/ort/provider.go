package ort

import (
	"cmp"
	"strings"
)

// Provider is the name of an execution provider in any case; "" is the CPU's.
type Provider string

// Providers that this module treats by themselves.
const (
	CPU  Provider = "cpu"
	CUDA Provider = "cuda"
)

// Canonical is the name in lower case, "cpu" for none.
func (p Provider) Canonical() Provider { return cmp.Or(Provider(strings.ToLower(string(p))), CPU) }

// IsCPU reports whether p is the CPU's provider.
func (p Provider) IsCPU() bool { return p.Canonical() == CPU }

// Offer is an execution provider and whether the loaded library can use it.
type Offer struct {
	Name    Provider `json:"name"`
	Problem string   `json:"problem,omitempty"` // empty when available
}

// Available reports whether sessions can be created for the provider.
func (o Offer) Available() bool { return o.Problem == "" }
