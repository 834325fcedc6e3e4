// Package fault tells faults of the input (flags, files, data) from failures of the work: only the user can repair the
// former.
package fault

import (
	"errors"
	"fmt"
)

type inputError struct{ error }

// Unwrap returns the error that is marked.
func (e inputError) Unwrap() error { return e.error }

// Input marks err as a fault of the input. It returns nil for nil.
func Input(err error) error {
	if err == nil {
		return nil
	}
	return inputError{err}
}

// Inputf returns a formatted error, as fmt.Errorf does, that is marked as Input marks one.
func Inputf(format string, args ...any) error { return Input(fmt.Errorf(format, args...)) }

// IsInput reports whether err, or an error that it wraps, is marked as a fault of the input.
func IsInput(err error) bool { return errors.As(err, new(inputError)) }
