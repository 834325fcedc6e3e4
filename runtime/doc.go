// Package runtime launches the programs of compiler/program on ONNX Runtime: it runs the passes that suit the execution
// provider, writes the graph as bytes, creates the session and ties the program's states to a store (runtime/ort).
package runtime
