package report

import (
	"bytes"
	"fmt"
	"strings"
)

// Protocol is a published way to evaluate, and how a benchmark deviates from it.
type Protocol struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Norm    string   `json:"norm"`
	Eps     float64  `json:"eps"` // pixels in [0,1]
	Attacks []string `json:"attacks"`
	Points  int      `json:"points"`
	// Deviations has one text for each way in which the benchmark is not as the protocol says.
	Deviations []string `json:"deviations"`
}

// String is the protocol in one line.
func (p *Protocol) String() string {
	text := fmt.Sprintf("Protocol %s: %s.", p.Name, p.About)
	if len(p.Deviations) > 0 {
		text += " Not as it says: " + strings.Join(p.Deviations, "; ") + "."
	}
	return text
}

// protocol writes the protocol, if there is one.
func (r *Result) protocol(b *bytes.Buffer) {
	if r.Protocol != nil {
		fmt.Fprintf(b, "%s\n\n", r.Protocol)
	}
}
