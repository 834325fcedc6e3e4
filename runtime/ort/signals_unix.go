//go:build cgo && unix

package ort

/*
#include <signal.h>
#include <string.h>

enum { signals = 32 };

static void saveSignals(struct sigaction *saved) {
	for (int s = 1; s < signals; s++)
		if (sigaction(s, NULL, &saved[s]) != 0)
			memset(&saved[s], 0, sizeof saved[s]);
}

static int owned(const struct sigaction *a) {
	return a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN;
}

static void restoreSignals(const struct sigaction *saved) {
	struct sigaction now;
	for (int s = 1; s < signals; s++) {
		if (!owned(&saved[s]) || sigaction(s, NULL, &now) != 0)
			continue;
		if (now.sa_handler != saved[s].sa_handler || now.sa_flags != saved[s].sa_flags)
			sigaction(s, &saved[s], NULL);
	}
}
*/
import "C"

import "sync"

// keepSignals calls f and puts back the signal handlers that f replaced.
//
// Device runtimes install handlers of their own, without SA_ONSTACK, over the ones that Go needs to preempt
// goroutines, to turn faults into panics and to deliver Ctrl-C; the next signal would then abort the process. Package
// os/signal cannot repair that: Notify does not touch a signal that the Go runtime believes it handles already. So the
// kernel's table is saved and restored directly. Only signals that had a handler before are restored.
//
// While several calls overlap, what the first one found is put back when the last one ends.
func keepSignals(f func() error) error {
	kept.Lock()
	if kept.calls == 0 {
		C.saveSignals(&kept.saved[0])
	}
	kept.calls++
	kept.Unlock()
	defer func() {
		kept.Lock()
		defer kept.Unlock()
		if kept.calls--; kept.calls == 0 {
			C.restoreSignals(&kept.saved[0])
		}
	}()
	return f()
}

// kept is the process's table of signal handlers during calls of keepSignals.
var kept struct {
	sync.Mutex
	calls int
	saved [C.signals]C.struct_sigaction
}
