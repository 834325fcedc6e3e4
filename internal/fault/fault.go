// Package fault tells faults of the input (flags, files, data) from failures of the work: only the user can repair the
// former.
package fault

import (
	"errors"
	"fmt"
)

type inputError struct{ error }

func (e inputError) Unwrap() error { return e.error }

// Input marks an error as one of the input; nil stays nil.
func Input(err error) error {
	if err == nil {
		return nil
	}
	return inputError{err}
}

// Inputf is Input of fmt.Errorf.
func Inputf(format string, args ...any) error { return Input(fmt.Errorf(format, args...)) }

// IsInput reports whether an error, or one that it wraps, is marked.
func IsInput(err error) bool { return errors.As(err, new(inputError)) }
