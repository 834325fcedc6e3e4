package ort

// Provider is an execution provider and whether the loaded library can use it.
type Provider struct {
	Name    string `json:"name"`
	Problem string `json:"problem,omitempty"` // empty when available
}

// Available reports whether sessions can be created for the provider.
func (p Provider) Available() bool { return p.Problem == "" }
