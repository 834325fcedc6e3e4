//go:build cgo

package ort

// KeepSignals is keepSignals.
var KeepSignals = keepSignals

// Place creates a session that writes its placed graph to a file.
func Place(model []byte, file string) error {
	in, out, err := signature(model)
	if err != nil {
		return err
	}
	s, err := (&Session{in: in, out: out, provider: CPU}).load(model, Options{}, file)
	if err != nil {
		return err
	}
	return s.Destroy()
}
