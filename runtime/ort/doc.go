// Package ort binds ONNX Runtime: it finds and loads the shared library, creates sessions on an execution provider, and
// carries state from run to run without copying it. A model is bytes here; the package knows no compiler.
//
// All tensors are Go memory. On the CPU provider ONNX Runtime reads inputs and writes outputs in place; other providers
// copy them to and from the device on every run.
//
// The C API takes one Go call per run; there is no per-element or per-node overhead. A Session may be run from several
// goroutines at once.
//
// # Determinism
//
// On the CPU provider the result of a run does not depend on the number of threads, bit for bit, with one exception:
// MatMul, and Gemm without transA, whose second operand is not a constant, when the inner dimension is above 128 and
// the first operand has fewer rows than the second has columns, or not even two rows per thread. There the matrix
// kernel (MLAS) cuts the inner dimension into blocks whose length follows from each thread's share, and no option
// changes that. Gemm with transA=1 has blocks of a fixed length; programs that must not depend on the thread count use
// it, swap the operands, or fix Options.Threads. Another processor type or ONNX Runtime release may round differently.
package ort
