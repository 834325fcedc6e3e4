package bench

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/internal/dataset"
)

func TestFitClasses(t *testing.T) {
	abc, cab := []string{"a", "b", "c"}, []string{"c", "a", "b"}
	for name, test := range map[string]struct {
		classes  []string
		numbered bool
		names    []string
		k        int
		labels   []int32 // of the classes 0, 1 and so on
		note     string
		err      string
	}{
		"same names":              {abc, false, abc, 3, []int32{0, 1, 2}, "", ""},
		"other order":             {abc, false, cab, 3, []int32{1, 2, 0}, "matched by name", ""},
		"a part of the names":     {[]string{"b", "c"}, false, cab, 3, []int32{2, 0}, "matched by name", ""},
		"other names":             {abc, false, []string{"x", "y", "z"}, 3, []int32{0, 1, 2}, "the model names its classes x, y, z, the data a, b, c", ""},
		"no names":                {abc, false, nil, 3, []int32{0, 1, 2}, "", ""},
		"fewer without names":     {abc, false, nil, 4, nil, "", "expected logits float32[N,3] for the 3 classes of here, found 4; --class-index"},
		"more than logits":        {abc, false, nil, 2, nil, "", "found 2"},
		"names of another number": {abc, false, []string{"c", "a"}, 3, []int32{0, 1, 2}, "", ""},
		"names twice":             {abc, false, []string{"c", "a", "a"}, 3, []int32{0, 1, 2}, "", ""},
		"numbers as text":         {[]string{"0", "1", "10", "2"}, false, nil, 4, []int32{0, 1, 2, 3}, "the class named 10 has label 2", ""},
		"numbers by name":         {[]string{"0", "1", "10", "2"}, false, []string{"0", "1", "2", "10"}, 4, []int32{0, 1, 3, 2}, "matched by name", ""},
		"labels below":            {[]string{"0", "1"}, true, nil, 5, []int32{0, 1}, "", ""},
		"labels of names":         {[]string{"0", "1"}, true, cab, 3, []int32{0, 1}, "", ""},
		"labels above":            {[]string{"0", "1", "2"}, true, nil, 2, nil, "", "or more for the labels up to 2 of here, found 2"},
		"logits not known":        {abc, false, nil, -1, []int32{0, 1, 2}, "", ""},
	} {
		d := &dataset.Dataset{Name: "here", Classes: test.classes, Numbered: test.numbered}
		for i := range test.classes {
			d.Labels = append(d.Labels, int32(i))
		}
		fitted, note, err := fitClasses(d, test.names, test.k)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want %s", name, err, test.err)
			}
			continue
		}
		if err != nil || !slices.Equal(fitted.Labels, test.labels) || !strings.Contains(note, test.note) || test.note == "" && note != "" {
			t.Errorf("%s: labels %v, note %q, %v, want %v, %q", name, fitted, note, err, test.labels, test.note)
			continue
		}
		if test.k > 0 && len(fitted.Classes) != test.k || !slices.Equal(d.Classes, test.classes) || d.Labels[0] != 0 {
			t.Errorf("%s: classes %v, data %v", name, fitted.Classes, d)
		}
	}
}

// The points of a part of the data have their rows in the whole and their files.
func TestPointsNameRows(t *testing.T) {
	whole := images(6, 3, 0, 255)
	for i := range whole.Len() {
		whole.Files = append(whole.Files, string(rune('a'+i))+".png")
	}
	d := whole.Subset([]int{5, 2})
	file := filepath.Join(t.TempDir(), pointsFile)
	m := modelPoints{data: d, path: "m", clean: map[int]int{0: 1, 1: 2}}
	if err := writePoints(file, nil, d, []modelPoints{m}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(contents(t, file)), "\n")
	if lines[0] != "path,index,label,clean,file" || !strings.HasPrefix(lines[1], "m,5,") || !strings.HasSuffix(lines[1], ",1,f.png") || !strings.HasSuffix(lines[2], ",2,c.png") {
		t.Errorf("found %q", lines)
	}
}
