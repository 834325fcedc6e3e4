package main

import (
	"context"
	"errors"
	"os"
	"syscall"

	"rnas/internal/fault"
	"rnas/runtime/ort"
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
	case errors.Is(err, ort.ErrNoProvider), errors.Is(err, ort.ErrPlacement):
		return statusFailed // the file is good, the machine is not enough for it
	case fault.IsInput(err):
		return statusUsage
	}
	return statusFailed
}
