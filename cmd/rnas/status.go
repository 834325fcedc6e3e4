package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Exit statuses.
const (
	statusDone    = 0
	statusFailed  = 1
	statusUsage   = 2
	statusStopped = 130 // as a shell reports a program that Ctrl-C ended
)

// stopSignals make a command stop at the next safe point.
var stopSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// inputError is a fault of the command line or of a file that it names.
type inputError struct{ error }

func (e inputError) Unwrap() error { return e.error }

// badInput marks an error as one of the input; nil stays nil.
func badInput(err error) error {
	if err == nil {
		return nil
	}
	return inputError{err}
}

func usagef(format string, args ...any) error { return inputError{fmt.Errorf(format, args...)} }

// silent is an error that has been reported already.
type silent struct{ error }

func (e silent) Unwrap() error { return e.error }

// status is the exit status of an error.
func status(err error) int {
	switch {
	case err == nil:
		return statusDone
	case errors.Is(err, context.Canceled):
		return statusStopped
	case errors.As(err, new(inputError)):
		return statusUsage
	}
	return statusFailed
}
