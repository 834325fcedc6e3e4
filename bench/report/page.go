package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"path/filepath"
	"strings"
)

//go:embed report.html.tmpl
var pageText string

// Style is the style sheet of the pages of this project.
//
//go:embed report.css
var Style string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"percent": percent, "interval": interval, "eps": EpsText, "p": pValue, "join": strings.Join, "image": dataURI,
	"bar": bar, "heat": heat, "count": plural, "attack": attackText, "digits": digits, "add": func(a, b int) int { return a + b },
}).Parse(pageText))

// page is the data of the template.
type page struct {
	*Result
	Style    template.CSS
	Policy   string // Content-Security-Policy
	Title    string
	Sections []section
	Charts   []*chart
	Command  []string // words as a shell reads them
	Pairs    []pair
	Shared   [][]string // table of the transfer
	Warned   bool       // whether there is a warning
	Attacked bool       // whether there is an attack
	Timed    bool       // whether there is a latency
}

// Cost reports whether the page has a section about cost.
func (p page) Cost() bool { return p.Attacked || p.Timed }

// pair is two models with their comparisons.
type pair struct {
	First, Second section
	Comparisons   []Comparison
}

// section is what the page shows of one model.
type section struct {
	*Model
	Number   int
	Name     string // shortest name that tells the model from the others
	Rows     []row
	Warnings []Warning
	Gallery  *Gallery
	Classes  []classRow
	Matrices []matrix
	Mistakes []Confused
}

// classRow is the accuracy of one class.
type classRow struct {
	Class        string
	Points       int
	Clean, Worst Robust
}

// matrix is a confusion matrix that is small enough to be shown.
type matrix struct {
	Title   string
	Classes []string
	Counts  [][]int
}

// Limits of what the page shows.
const (
	largestMatrix = 20
	mostMistakes  = 20
	styles        = 6 // of models; more share them
)

// HTML is the content of report.html, a page that loads nothing and runs no script. galleries has one entry for each model, or none at all.
// Equal results and galleries give equal bytes.
func (r *Result) HTML(galleries []*Gallery) ([]byte, error) {
	p := page{Result: r, Style: template.CSS(Style), Policy: Policy(Style)}
	names := r.names()
	p.Title = fmt.Sprintf("Robustness of %d models", len(r.Models))
	if len(names) == 1 {
		p.Title = "Robustness of " + names[0]
	}
	if r.Reproduce != nil {
		p.Command = shellWords(r.Reproduce.Command)
	}
	all := r.rows()
	for i := range r.Models {
		m := &r.Models[i]
		s := section{Model: m, Number: i % styles, Name: names[i], Warnings: m.Warnings(), Rows: all[:len(m.Attacks)+2]}
		all = all[len(m.Attacks)+2:]
		if i < len(galleries) {
			s.Gallery = galleries[i]
		}
		s.byClass()
		p.Warned = p.Warned || len(s.Warnings) > 0
		p.Attacked = p.Attacked || len(m.Attacks) > 0
		p.Timed = p.Timed || m.Latency != nil
		p.Sections = append(p.Sections, s)
	}
	p.pair()
	if r.Transfer != nil {
		p.Shared = r.Transfer.Intervals(names)
	}
	for _, over := range []string{"eps", "steps"} {
		if c := draw(r.Models, names, over); c != nil {
			p.Charts = append(p.Charts, c)
		}
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, p)
	return b.Bytes(), err
}

// Policy is a Content-Security-Policy for a page with one style sheet that loads nothing and runs no script.
func Policy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// names are the file names of the models. Where file names are equal, they are paths. Where there are several providers, they have the
// provider too.
func (r *Result) names() []string {
	uses, seen := map[string]int{}, map[string]bool{}
	for _, m := range r.Models {
		if !seen[m.Path] {
			uses[filepath.Base(m.Path)]++
		}
		seen[m.Path] = true
	}
	var names []string
	for _, m := range r.Models {
		name := filepath.Base(m.Path)
		if uses[name] > 1 {
			name = m.Path
		}
		if m.Provider != "" {
			name += " (" + m.Provider + ")"
		}
		names = append(names, name)
	}
	return names
}

// pair groups the comparisons, which stand in the order of the pairs of models.
func (p *page) pair() {
	rest := p.Comparisons
	for i, first := range p.Sections {
		for _, second := range p.Sections[i+1:] {
			n := 0
			for n < len(rest) && rest[n].First == first.Label() && rest[n].Second == second.Label() && (n == 0 || rest[n].Attack != rest[0].Attack) {
				n++
			}
			if n > 0 {
				p.Pairs = append(p.Pairs, pair{first, second, rest[:n]})
			}
			rest = rest[n:]
		}
	}
}

// attackText is the name of an attack in a table.
func attackText(name string) string { return strings.ReplaceAll(name, "_", " ") }

// byClass fills in the accuracies by class and the confusion matrices, or the most frequent mistakes of models with many classes.
func (s *section) byClass() {
	c := s.Confusion
	if c == nil {
		return
	}
	attacked := len(s.Attacks) > 0
	for i, class := range c.Classes {
		points := 0
		for _, n := range c.Clean[i] {
			points += n
		}
		if points > 0 {
			s.Classes = append(s.Classes, classRow{class, points, NewRobust(c.Clean[i][i], points), NewRobust(c.Worst[i][i], points)})
		}
	}
	matrices := []matrix{{"Clean", c.Classes, c.Clean}, {"Worst case of all attacks", c.Classes, c.Worst}}
	if !attacked {
		matrices = matrices[:1]
	}
	if len(c.Classes) <= largestMatrix {
		s.Matrices = matrices
		return
	}
	s.Mistakes = Mistakes(c.Classes, matrices[len(matrices)-1].Counts, mostMistakes)
}

// span is an interval with its point as a bar, in percent of its width.
type span struct{ Low, Width, At float64 }

// bar is the interval of an accuracy.
func bar(r Robust) span {
	low, high := tenth(100*r.CI95[0]), tenth(100*r.CI95[1])
	return span{low, tenth(max(high-low, 0.5)), min(tenth(100*r.RobustAccuracy), 99)} // the mark is 1 wide
}

// heat is the style of a count in a row of a confusion matrix: r for right or w for wrong, and a level by its share of the row, 0 for none
// and 1 to 5 for others.
func heat(row []int, label, prediction int) string {
	total, n := 0, row[prediction]
	for _, v := range row {
		total += v
	}
	level := 0
	if n > 0 {
		level = 1 + min(4*n/total, 4)
	}
	if label == prediction {
		return fmt.Sprintf("r%d", level)
	}
	return fmt.Sprintf("w%d", level)
}

// plural is a number with its noun.
func plural(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// shellWords quotes words so that a POSIX shell reads them back.
func shellWords(words []string) []string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%") != "" {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = w
	}
	return quoted
}
