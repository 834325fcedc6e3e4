//go:build cgo && unix

package runtime

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

// keepSignals calls f and puts back the signal handlers that f replaced.
//
// Device runtimes install handlers of their own, without SA_ONSTACK, over the ones that Go needs to preempt
// goroutines, to turn faults into panics and to deliver Ctrl-C; the next signal would then abort the process. Package
// os/signal cannot repair that: Notify does not touch a signal that the Go runtime believes it handles already. So the
// kernel's table is saved and restored directly. Only signals that had a handler before are restored.
func keepSignals(f func() error) error {
	var saved [C.signals]C.struct_sigaction
	C.saveSignals(&saved[0])
	defer C.restoreSignals(&saved[0])
	return f()
}
