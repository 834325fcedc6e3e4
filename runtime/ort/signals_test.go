//go:build cgo && linux

package ort_test

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"rnas/runtime/ort"
)

// caught tells from the kernel's table whether a signal has a handler.
func caught(t *testing.T, s syscall.Signal) bool {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	_, rest, ok := strings.Cut(string(status), "SigCgt:")
	if !ok {
		t.Skip("no SigCgt in /proc/self/status")
	}
	var mask uint64
	if _, err := fmt.Sscanf(rest, "%x", &mask); err != nil {
		t.Fatal(err)
	}
	return mask&(1<<(s-1)) != 0
}

// drop sets a signal to its default behind the Go runtime's back, the way a device library replaces handlers.
func drop(t *testing.T, s syscall.Signal) {
	t.Helper()
	var action [64]byte // struct kernel_sigaction, all zero: SIG_DFL
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
}

func TestKeepSignals(t *testing.T) {
	const s = syscall.SIGUSR2
	got := make(chan os.Signal, 1)
	signal.Notify(got, s)
	defer signal.Stop(got)
	if !caught(t, s) {
		t.Fatal("expected Go's handler before the test")
	}
	err := ort.KeepSignals(func() error {
		drop(t, s)
		if caught(t, s) {
			t.Error("expected no handler inside")
		}
		return os.ErrInvalid
	})
	if err != os.ErrInvalid {
		t.Errorf("expected the function's error, found %v", err)
	}
	if !caught(t, s) {
		t.Fatal("expected Go's handler again")
	}
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
	if sig := <-got; sig != s {
		t.Errorf("expected %v, found %v", s, sig)
	}
}
