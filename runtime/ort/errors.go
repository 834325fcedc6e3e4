package ort

import "errors"

var (
	// ErrNoLibrary says that no ONNX Runtime shared library was found.
	ErrNoLibrary = errors.New("no ONNX Runtime library found")
	// ErrOldLibrary says that a library was found whose version is below MinVersion.
	ErrOldLibrary = errors.New("ONNX Runtime library too old")
	// ErrNoProvider says that an execution provider is unknown or not part of the loaded library.
	ErrNoProvider = errors.New("execution provider not available")
	// ErrPlacement says that a heavy node was placed on the CPU although another provider was asked for.
	ErrPlacement = errors.New("node placed on the CPU")
	// ErrClosed says that a Session, Store or Stepper was used after Close.
	ErrClosed = errors.New("already closed")
	// ErrNoCgo says that the program was built without cgo, which ONNX Runtime's C interface needs.
	ErrNoCgo = errors.New("built without cgo: rebuild with CGO_ENABLED=1 and a C compiler")
)
