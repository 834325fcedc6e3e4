package report

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"rnas/internal/atomicfile"
)

// Write writes result.json, result.csv, result.md and report.html (see HTML) into a folder, and profile.json and corruptions.csv where there is
// something to tell. Each file is written completely or not at all. Equal results give equal bytes.
func (r *Result) Write(dir string, galleries []*Gallery) error {
	for _, f := range []struct {
		name   string
		encode func() ([]byte, error)
	}{
		{"result.json", r.JSON},
		{"result.csv", r.CSV},
		{"result.md", r.Markdown},
		{"profile.json", r.ProfileJSON},
		{"corruptions.csv", r.CorruptionsCSV},
		{"report.html", func() ([]byte, error) { return r.HTML(galleries) }},
	} {
		data, err := f.encode()
		if err == nil && data != nil {
			err = atomicfile.WriteBytes(filepath.Join(dir, f.name), data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// numbers matches an array of numbers in indented JSON. A match cannot begin inside a string, because no string has a line break.
var numbers = regexp.MustCompile(`\[\n[-+0-9.eE,\s]*\]`)

// JSON is the content of result.json: indented, keys in the order of the fields, arrays of numbers on one line.
func (r *Result) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(r)
	return numbers.ReplaceAllFunc(b.Bytes(), func(array []byte) []byte {
		return bytes.ReplaceAll(bytes.Join(bytes.Fields(array), nil), []byte(","), []byte(", "))
	}), err
}

// row is one line of the tables: a model under an attack. The name of the attack may be "clean" or "worst_case".
type row struct {
	*Model
	Attack
}

// rows lists clean, the attacks and worst_case of each model.
func (r *Result) rows() []row {
	var rows []row
	for i := range r.Models {
		m := &r.Models[i]
		clean := Robust{m.Clean.Correct, m.Clean.Accuracy, m.Clean.CI95}
		rows = append(rows, row{m, Attack{Name: "clean", Robust: clean}})
		for _, a := range m.Attacks {
			rows = append(rows, row{m, a})
		}
		rows = append(rows, row{m, Attack{Name: "worst_case", Robust: m.WorstCase}})
	}
	return rows
}

// CSV is the content of result.csv: one line for each model and attack, "clean" and "worst_case" included. Flags are separated by semicolons.
func (r *Result) CSV() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{
		"path", "sha256", "dataset", "provider", "points", "attack", "norm", "eps", "robust", "robust_accuracy",
		"ci95_low", "ci95_high", "forwards", "backwards", "seconds", "flags",
	}}
	for _, x := range r.rows() {
		lines = append(lines, []string{
			x.Path, x.SHA256, x.Dataset, cmp.Or(x.Model.Provider, r.Provider), strconv.Itoa(x.Points), x.Name, x.Norm, number(x.Eps),
			strconv.Itoa(x.Attack.Robust.Robust), number(x.RobustAccuracy), number(x.CI95[0]), number(x.CI95[1]),
			strconv.FormatInt(x.Forwards, 10), strconv.FormatInt(x.Backwards, 10), number(x.Seconds), joined(x.Flags),
		})
	}
	err := w.WriteAll(lines)
	return b.Bytes(), err
}

// joined is the texts of flags, separated by semicolons.
func joined(flags []Flag) string {
	var texts []string
	for _, f := range flags {
		texts = append(texts, f.String())
	}
	return strings.Join(texts, "; ")
}

// number is the shortest text that reads back as v.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// Markdown is the content of result.md: tables of accuracies in percent with their intervals, of latencies and of what else was measured, and a
// list of the warnings.
func (r *Result) Markdown() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "rnas %s, ONNX Runtime %s, provider %s. Accuracy in percent with its 95%% Wilson interval.\n\n", r.RNAS, r.ONNXRuntime, r.Provider)
	r.protocol(&b)
	b.WriteString("| model | data | points | attack | norm | eps | accuracy | 95% interval | forwards | backwards | seconds |\n")
	b.WriteString("|---|---|--:|---|---|--:|--:|--:|--:|--:|--:|\n")
	for _, x := range r.rows() {
		eps, forwards, backwards, seconds := "", "", "", ""
		if x.Norm != "" {
			eps = strconv.FormatFloat(x.Eps, 'g', 4, 64)
			forwards, backwards = strconv.FormatInt(x.Forwards, 10), strconv.FormatInt(x.Backwards, 10)
			seconds = strconv.FormatFloat(x.Seconds, 'f', 1, 64)
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | %s | %.2f | %.2f to %.2f | %s | %s | %s |\n",
			cell(x.Label()), cell(x.Dataset), x.Points, x.Name, x.Norm, eps, 100*x.RobustAccuracy, 100*x.CI95[0], 100*x.CI95[1], forwards, backwards, seconds)
	}
	for _, line := range r.Lines() {
		fmt.Fprintf(&b, "\n- %s\n", cell(line))
	}
	r.corruptions(&b)
	r.latencies(&b)
	r.curves(&b)
	r.comparisons(&b)
	r.transfer(&b)
	r.agreements(&b)
	r.flags(&b)
	return b.Bytes(), nil
}

// digits is a measured number with three digits; from 1000 on, with its whole part.
func digits(v float64) string {
	if v >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// latencies writes a table of latencies.
func (r *Result) latencies(b *bytes.Buffer) {
	header := "\n| model | threads | batch | p50 ms | p90 ms | p99 ms | images/s |\n|---|--:|--:|--:|--:|--:|--:|\n"
	for _, m := range r.Models {
		if m.Latency == nil {
			continue
		}
		for _, l := range m.Latency.Runs {
			fmt.Fprintf(b, "%s| %s | %d | %d | %s | %s | %s | %s |\n", header, cell(m.Label()), m.Latency.Threads, l.Batch,
				digits(l.P50), digits(l.P90), digits(l.P99), digits(l.ImagesPerSecond))
			header = ""
		}
	}
}

// curves writes a table of the points of all curves.
func (r *Result) curves(b *bytes.Buffer) {
	header := "\n| model | attack | eps | steps | accuracy | 95% interval |\n|---|---|--:|--:|--:|--:|\n"
	for _, m := range r.Models {
		for _, c := range m.Curves {
			for _, p := range c.Points {
				fmt.Fprintf(b, "%s| %s | %s | %.4g | %d | %.2f | %.2f to %.2f |\n", header, cell(m.Label()), c.Attack, p.Eps, p.Steps, 100*p.RobustAccuracy, 100*p.CI95[0], 100*p.CI95[1])
				header = ""
			}
		}
	}
}

// comparisons writes a table of McNemar's tests.
func (r *Result) comparisons(b *bytes.Buffer) {
	header := "\nMcNemar's exact test on the points that only one of two models gets right:\n\n" +
		"| first | second | attack | only first | only second | p |\n|---|---|---|--:|--:|--:|\n"
	for _, c := range r.Comparisons {
		fmt.Fprintf(b, "%s| %s | %s | %s | %d | %d | %s |\n", header, cell(c.First), cell(c.Second), c.Attack, c.FirstOnly, c.SecondOnly, pValue(c.P))
		header = ""
	}
}

// pValue is a p-value for people.
func pValue(p float64) string {
	if p < 0.001 {
		return strconv.FormatFloat(p, 'e', 1, 64)
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// flags writes a list of the warnings with their explanations.
func (r *Result) flags(b *bytes.Buffer) {
	header := "\nWarnings:\n\n"
	for i := range r.Models {
		for _, w := range r.Models[i].Warnings() {
			fmt.Fprintf(b, "%s- %s, %s: %s\n", header, r.Models[i].Label(), strings.Join(w.Where, ", "), w.Flag)
			if w.Meaning != "" {
				fmt.Fprintf(b, "  %s Next: %s\n", w.Meaning, w.Next)
			}
			header = ""
		}
	}
}

// cell escapes text for a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}
