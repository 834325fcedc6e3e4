package loop

import (
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b, "train", 3, 10, 32)
	p.Step(0, 0, 1, 0.5) // too early
	if b.Len() > 0 {
		t.Errorf("found %q", b.String())
	}
	p.shown = time.Time{}
	p.Step(1, 4, 1.25, 0.5)
	if !strings.HasPrefix(b.String(), "train epoch 2/3 step 5/10  ") || !strings.Contains(b.String(), "loss 1.2500  accuracy 0.5000") {
		t.Errorf("found %q", b.String())
	}
	b.Reset()
	p.terminal, p.shown = true, time.Time{}
	p.Step(1, 5, 1, 0.5)
	p.Line("done %d", 1)
	if s := b.String(); !strings.HasPrefix(s, "\r\x1b[Ktrain epoch 2/3 step 6/10") || !strings.HasSuffix(s, "\r\x1b[Kdone 1\n") {
		t.Errorf("found %q", s)
	}
	none := NewProgress(nil, "", 1, 1, 1)
	none.Step(0, 0, 0, 0)
	none.Line("nothing")
}
