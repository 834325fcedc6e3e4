package loop

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Intervals of progress: on a terminal the line is rewritten, elsewhere a new one is written now and then.
const (
	terminalInterval = 200 * time.Millisecond
	plainInterval    = 30 * time.Second
)

// Progress shows how far a run is, as one line. A nil Progress shows nothing.
type Progress struct {
	w        io.Writer
	terminal bool
	name     string
	epochs   int
	steps    int
	images   int // a step
	began    time.Time
	done     int // steps done in this process
	shown    time.Time
	open     bool // the line on the terminal is not ended
}

// NewProgress shows a run of epochs of so many steps on so many images each. A nil w is none.
func NewProgress(w io.Writer, name string, epochs, steps, images int) *Progress {
	if w == nil {
		return nil
	}
	now := time.Now()
	p := &Progress{w: w, name: name, epochs: epochs, steps: steps, images: images, began: now, shown: now}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// Step counts a step, both numbers from 0, and shows the mean loss and accuracy of the epoch so far if it is time.
func (p *Progress) Step(epoch, step int, loss, accuracy float64) {
	if p == nil {
		return
	}
	p.done++
	interval := plainInterval
	if p.terminal {
		interval = terminalInterval
	}
	now := time.Now()
	if now.Sub(p.shown) < interval {
		return
	}
	p.shown = now
	perStep := now.Sub(p.began).Seconds() / float64(p.done)
	left := time.Duration(perStep * float64((p.epochs-epoch)*p.steps-step-1) * float64(time.Second))
	line := fmt.Sprintf("%s epoch %d/%d step %d/%d  %.1f images/s  loss %.4f  accuracy %.4f  %s left",
		p.name, epoch+1, p.epochs, step+1, p.steps, float64(p.images)/perStep, loss, accuracy, left.Round(time.Second))
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s", line)
		p.open = true
		return
	}
	fmt.Fprintln(p.w, line)
}

// Line writes a line that stays.
func (p *Progress) Line(format string, args ...any) {
	if p == nil {
		return
	}
	if p.open {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.open = false
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}
