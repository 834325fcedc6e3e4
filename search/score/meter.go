package score

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Meter shows how many genotypes are scored, their rate and the time that is left; nil shows nothing.
type Meter struct {
	name        string
	w           io.Writer
	terminal    bool
	first       int // genotypes that were scored before
	done, total int
	began, last time.Time
}

// NewMeter begins lines that start with name, for total genotypes of which some were done before. A nil w is no meter.
func NewMeter(w io.Writer, name string, done, total int) *Meter {
	if w == nil {
		return nil
	}
	now := time.Now()
	m := &Meter{name: name, w: w, first: done, done: done, total: total, began: now, last: now}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		m.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if done > 0 {
		fmt.Fprintf(w, "%s: %d of %d genotypes were scored before\n", name, done, total)
	}
	return m
}

// Step counts a genotype: on a terminal the line is rewritten, elsewhere a new one is written now and then.
func (m *Meter) Step() {
	if m == nil {
		return
	}
	m.done++
	now, interval := time.Now(), 30*time.Second
	if m.terminal {
		interval = 200 * time.Millisecond
	}
	if now.Sub(m.last) < interval && m.done < m.total {
		return
	}
	m.last = now
	rate := float64(m.done-m.first) / now.Sub(m.began).Seconds()
	left := time.Duration(float64(m.total-m.done) / rate * float64(time.Second))
	line := fmt.Sprintf("%s %d/%d  %.1f genotypes/s  %s left", m.name, m.done, m.total, rate, left.Round(time.Second))
	if m.terminal {
		fmt.Fprintf(m.w, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(m.w, line)
}

// End ends the line on a terminal.
func (m *Meter) End() {
	if m != nil && m.terminal {
		fmt.Fprintln(m.w)
	}
}
