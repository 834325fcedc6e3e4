// Package cpu rewrites graphs into what ONNX Runtime's CPU provider runs fastest: the layout NCHWc with its channels in blocks,
// Winograd's algorithm for wide 3x3 convolutions, channels filled up to whole blocks, masks by HardSigmoid, sums by pairs. Forward
// and Program are its pipelines. The results are for execution only; no exported file contains them.
package cpu
