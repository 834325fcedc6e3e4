//go:build cgo && !unix

package ort

// keepSignals calls f. Only Unix has signal handlers that a library can replace.
func keepSignals(f func() error) error { return f() }
