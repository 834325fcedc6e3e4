// Package cpu rewrites graphs into the forms that ONNX Runtime's CPU provider runs fastest: the channel-blocked layout NCHWc,
// Winograd's algorithm for wide 3x3 convolutions, channels filled up to whole blocks, masks by HardSigmoid, sums by pairs. The
// results are for execution only and are in no exported file. Forward and Program are its pipelines.
package cpu
