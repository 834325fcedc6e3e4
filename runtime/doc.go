// Package runtime runs ONNX models on ONNX Runtime: it finds the shared library, creates sessions on an execution
// provider, and carries state from run to run without copying it.
//
// All tensors are Go memory. On the CPU provider ONNX Runtime reads inputs and writes outputs in place; other providers
// copy them to and from the device on every run.
//
// The C API takes one Go call per run; there is no per-element or per-node overhead. A Session may be run from several
// goroutines at once.
package runtime
