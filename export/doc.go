// Package export turns graphs into ONNX bytes and back. It is the only package that
// knows the field numbers of ONNX's protobuf messages. Files are written for the operator set that the caller asks for
// and converted to the forms of operator set 18, those of package op, when they are read.
package export
