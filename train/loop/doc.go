// Package loop is what training and search have in common: epochs of steps that can be stopped at any moment and taken up
// again without a trace in the result. It keeps the checkpoint and the log of a folder, feeds batches ahead of their use,
// and shows progress.
package loop

import "errors"

// ErrDiverged says that a loss or a parameter is no longer a finite number. The checkpoint before is kept.
var ErrDiverged = errors.New("diverged")
