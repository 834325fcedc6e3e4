package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"image/color"
	"image/png"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// full is a result with everything that the page shows.
func full() (*Result, []*Gallery) {
	r := sample()
	classes := []string{"cat", "<b>dog</b>", "fox"}
	r.Models[0].Confusion = &Confusion{classes, [][]int{{30, 0, 3}, {0, 30, 3}, {2, 2, 30}}, [][]int{{0, 33, 0}, {30, 0, 3}, {4, 30, 0}}}
	rows := []Corruption{{"fog", 1, NewClean(80, 100)}, {"fog", 2, NewClean(60, 100)}, {"jpeg_compression", 1, NewClean(50, 100)}, {"jpeg_compression", 2, NewClean(40, 100)}}
	r.Models[0].Corruptions = NewCorruptions("generated", "made for the test", 100, rows)
	at := func(eps float64, steps, robust int) CurvePoint { return CurvePoint{eps, steps, NewRobust(robust, 100)} }
	for i := range r.Models {
		r.Models[i].Curves = []Curve{
			{Attack: "pgd20", Over: "eps", Points: []CurvePoint{at(0, 20, 90), at(4./255, 20, 40), at(8./255, 20, 10), at(32./255, 20, 5*i)}, Flags: []Flag{}},
			{Attack: "pgdK", Over: "steps", Points: []CurvePoint{at(8./255, 1, 50), at(8./255, 10, 12), at(8./255, 100, 10)}, Flags: []Flag{{FlagSteps, "3 points"}}},
		}
	}
	for _, attack := range []string{"clean", "worst_case"} {
		r.Comparisons = append(r.Comparisons, Comparison{First: r.Models[0].Path, Second: "b.onnx", Attack: attack, FirstOnly: 3, SecondOnly: 12, Both: 70, P: McNemar(3, 12)})
	}
	r.Reproduce = &Reproduce{Command: []string{"rnas", "bench", "it's", "--eps=8/255"}, Data: "synthetic test", DataSHA256: strings.Repeat("ef", 32), Seed: 7}
	clean := []float32{0, 0.5, 1, 0.25, 0.75, 0.125, 1, 0, 0.5, 0.5, 0, 1}
	moved := slices.Clone(clean)
	moved[1], moved[3] = 0.5-8./255, 0.25+4./255
	g := &Gallery{Attack: "pgd20", Examples: []Example{
		{Point: 4, Label: "cat", Shape: [3]int{3, 2, 2}, Clean: clean, Adversarial: moved, Before: Guess{"cat", 0.75}, After: Guess{"<b>dog</b>", 0.5}, Broken: true},
		{Point: 9, Label: "fox", Shape: [3]int{3, 2, 2}, Clean: clean, Adversarial: clean, Before: Guess{"fox", 1}, After: Guess{}, Broken: true},
	}}
	return r, []*Gallery{g, nil}
}

func htmlOf(t *testing.T, r *Result, galleries []*Gallery) []byte {
	t.Helper()
	page, err := r.HTML(galleries)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// element is a start of an element with the text up to the next tag.
type element struct {
	xml.StartElement
	text string
}

func (e element) attribute(name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// elements reads a page and fails unless every element is closed where it should be.
func elements(t *testing.T, page []byte) []element {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	d.AutoClose, d.Entity = xml.HTMLAutoClose, xml.HTMLEntity
	d.Strict = false
	var all []element
	var open []string
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			all = append(all, element{token.Copy(), ""})
			if !slices.Contains([]string{"meta", "img", "br"}, token.Name.Local) {
				open = append(open, token.Name.Local)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != token.Name.Local {
				t.Fatalf("</%s> inside %v", token.Name.Local, open)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(all) > 0 {
				all[len(all)-1].text += strings.TrimSpace(string(token))
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%v are not closed", open)
	}
	return all
}

// TestNoRequests checks that the page names nothing outside itself, runs nothing, and that its policy says so.
func TestNoRequests(t *testing.T) {
	r, galleries := full()
	page := htmlOf(t, r, galleries)
	images, policy, style := 0, "", ""
	for _, e := range elements(t, page) {
		switch e.Name.Local {
		case "script", "link", "iframe", "object", "embed", "base", "form", "use", "foreignObject":
			t.Errorf("found <%s>", e.Name.Local)
		case "style":
			style = e.text
		case "meta":
			if e.attribute("http-equiv") == "Content-Security-Policy" {
				policy = e.attribute("content")
			}
		}
		for _, a := range e.Attr {
			if data, ok := strings.CutPrefix(a.Value, "data:image/png;base64,"); ok && e.Name.Local == "img" && a.Name.Local == "src" {
				images++
				if _, err := base64.StdEncoding.DecodeString(data); err != nil {
					t.Error(err)
				}
				continue
			}
			lower := strings.ToLower(a.Value)
			if strings.Contains(lower, "http:") || strings.Contains(lower, "https:") || strings.Contains(lower, "//") || strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" {
				t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
			}
			if (a.Name.Local == "src" || a.Name.Local == "href") && !strings.HasPrefix(a.Value, "#") {
				t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
	if images != 6 {
		t.Errorf("expected 6 images, found %d", images)
	}
	for _, s := range []string{"url(", "@import", "//"} {
		if strings.Contains(style, s) {
			t.Errorf("the style contains %s", s)
		}
	}
	_, css, _ := strings.Cut(string(page), "<style>")
	css, _, _ = strings.Cut(css, "</style>")
	sum := sha256.Sum256([]byte(css))
	want := "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if policy != want {
		t.Errorf("expected the policy %s, found %s", want, policy)
	}
}

var cellTag, anyTag = regexp.MustCompile(`<t[hd][^>]*>(.*?)</t[hd]>`), regexp.MustCompile(`<[^>]*>`)

// cells lists the texts of the cells of the tables of a section, row by row.
func cells(page []byte, section string) []string {
	_, rest, _ := strings.Cut(string(page), `<section id="`+section+`">`)
	rest, _, _ = strings.Cut(rest, "</section>")
	var rows []string
	for _, row := range strings.Split(rest, "<tr")[1:] {
		row, _, _ = strings.Cut(row, "</tr>")
		var texts []string
		for _, cell := range cellTag.FindAllStringSubmatch(row, -1) {
			texts = append(texts, strings.ReplaceAll(anyTag.ReplaceAllString(cell[1], ""), "\u00a0", " "))
		}
		rows = append(rows, strings.Join(texts, "|"))
	}
	return rows
}

func TestPage(t *testing.T) {
	r, galleries := full()
	page := htmlOf(t, r, galleries)
	if !bytes.Equal(page, htmlOf(t, r, galleries)) {
		t.Error("two pages of one result differ")
	}
	for section, want := range map[string][]string{
		"summary": {
			"attack|accuracy|95% interval|0100 %", "model|a.onnx",
			"clean|90.0 %|82.6 – 94.5|", "fgsm|50.0 %|40.4 – 59.6|", "pgd20|0.0 %|0.0 – 3.7|", "worst case|0.0 %|0.0 – 3.7|",
			"b.onnx", "clean|100.0 %|96.3 – 100.0|", "worst case|100.0 %|96.3 – 100.0|",
		},
		"comparison": {"attack|only first|only second|both|p", "model|a.onnx and b.onnx", "clean|3|12|70|0.035", "worst case|3|12|70|0.035"},
		"curves": {
			"eps|model|a.onnx|b.onnx", "0|90.0 % (82.6 – 94.5)|90.0 % (82.6 – 94.5)", "4/255|40.0 % (30.9 – 49.8)|40.0 % (30.9 – 49.8)",
			"8/255|10.0 % (5.5 – 17.4)|10.0 % (5.5 – 17.4)", "32/255|0.0 % (0.0 – 3.7)|5.0 % (2.2 – 11.2)",
			"steps|model|a.onnx|b.onnx", "1|50.0 % (40.4 – 59.6)|50.0 % (40.4 – 59.6)", "10|12.0 % (7.0 – 19.8)|12.0 % (7.0 – 19.8)", "100|10.0 % (5.5 – 17.4)|10.0 % (5.5 – 17.4)",
		},
		"cost": {
			"attack|forwards|backwards|seconds", "model|a.onnx", "fgsm|90|90|0.2", "pgd20|1800|1800|12.5",
			"batch|p50 ms|p90 ms|p99 ms|images/s", "model|a.onnx, 2 threads", "1|1.25|1.5|2|790", "64|40|41.2|50|1600",
		},
	} {
		if got := cells(page, section); !slices.Equal(got, want) {
			t.Errorf("%s: expected\n%s\nfound\n%s", section, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
	text := string(page)
	for part, times := range map[string]int{
		"<b>dog</b>": 0, "&lt;b&gt;dog&lt;/b&gt;": 5, "<span>rnas</span> <span>bench</span> <span>&#39;it&#39;\\&#39;&#39;s&#39;</span> <span>--eps=8/255</span>": 1, strings.Repeat("ab", 32): 1, strings.Repeat("ef", 32): 1,
		"<polyline": 4, "<circle": 14, `class="warning"`: 4, "× 10": 1, "not a number": 1, `class="w5">33`: 1, `class="r4">30`: 3, "image-rendering: pixelated": 1, `class="pixels"`: 6,
		"made for the test": 1, "57.5\u00a0%": 2, "42.5\u00a0%": 1, "jpeg compression": 1, "45.0\u00a0%": 1,
	} {
		if n := strings.Count(text, part); n != times {
			t.Errorf("%s: expected %d times, found %d", part, times, n)
		}
	}
}

// TestPageOfLittle leaves out what is not there.
func TestPageOfLittle(t *testing.T) {
	r := &Result{Models: []Model{{Path: "dir/m.onnx", Dataset: "d", Points: 3, Clean: NewClean(2, 3), Attacks: []Attack{}, WorstCase: NewRobust(2, 3)}}}
	page := htmlOf(t, r, nil)
	elements(t, page)
	for _, section := range []string{"warnings", "comparison", "curves", "cost"} {
		if strings.Contains(string(page), `id="`+section+`"`) {
			t.Errorf("found section %s", section)
		}
	}
	if !strings.Contains(string(page), "Robustness of m.onnx") {
		t.Error("the title does not name the model")
	}
	many := &Confusion{}
	for range largestMatrix + 1 {
		many.Classes = append(many.Classes, "c")
		many.Clean = append(many.Clean, make([]int, largestMatrix+1))
		many.Worst = append(many.Worst, make([]int, largestMatrix+1))
	}
	many.Classes[3], many.Classes[8] = "goat", "sheep"
	many.Clean[3][3], many.Clean[8][8], many.Clean[3][8] = 2, 5, 1
	many.Worst[3][8] = 3
	r.Models[0].Confusion = many
	r.Models[0].Attacks = []Attack{{Name: "fgsm", Robust: NewRobust(1, 3)}}
	text := string(htmlOf(t, r, nil))
	if strings.Contains(text, `class="matrix"`) || !strings.Contains(text, "goat taken for sheep (3)") || strings.Count(text, "66.7\u00a0%") != 3 {
		t.Errorf("many classes: found %s", text)
	}
}

func TestPicture(t *testing.T) {
	for _, c := range []struct {
		shape  [3]int
		pixels []float32
		want   color.Color // at (1,0)
	}{
		{[3]int{3, 1, 2}, []float32{0, 1, 0, 0.5, 0, 2}, color.NRGBA{255, 128, 255, 255}},
		{[3]int{1, 2, 2}, []float32{0, 0.25, 0, 0}, color.Gray{64}},
		{[3]int{2, 1, 2}, []float32{0, 1, 0, 0}, color.Gray{127}},
	} {
		uri, err := dataURI(c.pixels, c.shape)
		if err != nil {
			t.Fatal(err)
		}
		data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(uri), "data:image/png;base64,"))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		r, g, b, a := picture.At(1, 0).RGBA()
		wr, wg, wb, wa := c.want.RGBA()
		if size := picture.Bounds().Size(); size.X != c.shape[2] || size.Y != c.shape[1] || [4]uint32{r, g, b, a} != [4]uint32{wr, wg, wb, wa} {
			t.Errorf("%v: size %v, expected %v, found %v", c.shape, size, c.want, picture.At(1, 0))
		}
	}
}

func TestAmplified(t *testing.T) {
	for _, c := range []struct {
		largest float32
		factor  int
	}{{0, 1}, {1, 1}, {0.5, 1}, {0.25, 2}, {8. / 255, 10}, {2. / 255, 50}, {1e-4, 1000}} {
		e := Example{Clean: []float32{0.25, 0}, Adversarial: []float32{0.25, c.largest}}
		got := e.Amplified()
		if e.Factor() != c.factor || got[0] != 0.5 || math.Abs(float64(got[1])-(0.5+float64(c.factor)*float64(c.largest))) > 1e-6 {
			t.Errorf("%v: expected factor %d, found %d and %v", c.largest, c.factor, e.Factor(), got)
		}
	}
}

func TestEpsText(t *testing.T) {
	for want, eps := range map[string]float64{"8/255": 8. / 255, "0.5/255": 0.5 / 255, "0": 0, "0.03": 0.03, "12": 12, "1": 1, "0.25": 0.25} {
		if got := EpsText(eps); got != want {
			t.Errorf("%v: expected %s, found %s", eps, want, got)
		}
	}
}
