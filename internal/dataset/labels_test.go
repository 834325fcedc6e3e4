package dataset

import (
	"slices"
	"strings"
	"testing"
)

const index2 = `{"1": ["n02", "emu"], "0": ["n01", "cat"]}`

func flat() tree {
	return tree{"a.png": red(1), "b.png": red(2), "sub/c.png": red(3)}
}

func TestLabelTables(t *testing.T) {
	place := flat().folder(t)
	index := save(t, "index.json", []byte(index2))
	for table, want := range map[string]string{ // labels of a, b and c, "-" for none; classes
		"file,label\na.png,1\nb.png,0\nsub/c.png,1\n":                "101 0,1",
		"\xef\xbb\xbfimage_id,label\r\na,1\r\nb,0\r\nc,1\r\n":        "101 0,1",
		"a.png 1\nb.png 0\nc.png 2\n":                                "102 0,1,2",
		"id;x;class\na;9;dog\nb;9;cat\nc;8;dog\n":                    "101 cat,dog",
		"a.png\tdog\nb.png\tcat\nlost.png\tcat\n":                    "10- cat,dog",
		"ImageId,PredictionString\na,n02 1 2 3\nb,n01 4 5 6\n":       "10- n01,n02",
		"index:ImageId,PredictionString\na,n02 1 2 3\nb,n01 4 5 6\n": "10- cat,emu",
		"index:file,label\na,emu\nb,0\nc,n02\n":                      "101 cat,emu",
		"file,label,split\na,0,train\nb,1,test\nc,1,validation\n":    "-1- 0,1",
	} {
		table, indexed := strings.CutPrefix(table, "index:")
		spec := WithOption("folder:"+place, "labels", save(t, "100%,x?.csv", []byte(table)))
		if indexed {
			spec = WithOption(spec, "class-index", index)
		}
		s := open(t, spec, 0)
		got := []byte("---")
		for i, label := range s.Test.Labels {
			got[s.Test.Images[i*s.Test.Elems()]-1] = byte('0' + label)
		}
		if text := string(got) + " " + strings.Join(s.Test.Classes, ","); text != want {
			t.Errorf("%q: found %s, want %s", table, text, want)
		}
		if n := strings.Count(want[:3], "-"); n == 1 && len(s.Test.LeftOut) != 1 {
			t.Errorf("%q: left out %v", table, s.Test.LeftOut)
		}
		if strings.Contains(table, "lost") && (len(s.Test.Notes) != 1 || !strings.Contains(s.Test.Notes[0], "1 of 3 rows")) {
			t.Errorf("%q: notes %v", table, s.Test.Notes)
		}
	}
	for table, want := range map[string]string{
		"":                        "expected rows of a file and a class, found none",
		"x.png,1\n":               "none of the 1 rows names one of the 3 images; the first row names \"x.png\"",
		"a,1\na.png,2\n":          "row 2: a.png has the class 2, and 1 in row 1",
		"a,1\nb\n":                "row 2: expected a file and a class",
		"a,-1\n":                  "expected a label from 0 to",
		"file,label,split\na,0,x": "row 2: expected a part such as train or test",
	} {
		refuse(t, WithOption("folder:"+place, "labels", save(t, "x.csv", []byte(table))), "labels: ", want)
	}
	refuse(t, WithOption("folder:"+place, "labels", place), "expected a regular file")
	twice := flat().with("a.jpg", red(4)).folder(t)
	refuse(t, WithOption("folder:"+twice, "labels", save(t, "x.csv", []byte("a,1\n"))), "several images are named a")
}

func TestClassIndex(t *testing.T) {
	for text, want := range map[string]string{
		index2:                  "cat,emu",
		`{"0":"cat","1":"emu"}`: "cat,emu",
		`{"emu":1,"cat":0}`:     "cat,emu",
		`["cat","emu"]`:         "cat,emu",
		"cat\r\nemu\r\n":        "cat,emu",
		`{"0":["n1","crane"],"1":["n2","crane"]}`: "crane (n1),crane (n2)",
	} {
		c, err := parseClassIndex([]byte(text))
		if err != nil || strings.Join(c.classes(), ",") != want {
			t.Errorf("%s: found %v, %v", text, c, err)
		}
	}
	for text, want := range map[string]string{
		`{"0":"a","2":"b"}`: "expected the labels 0 to 1, each once",
		`{"0":"a","0x":[]}`: `"0x": expected a label with a name`,
		`{"0":[]}`:          "class 0: expected a name",
		`[1]`:               "expected a list of names",
		`{`:                 "unexpected end",
	} {
		if _, err := parseClassIndex([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
	// Folders are matched by either name or by number, and classes that no folder has keep their places.
	index := save(t, "index.json", []byte(`{"0":["n01","ant"],"1":["n02","cat"],"2":["n03","dog"]}`))
	s := open(t, WithOption("folder:"+folderTree().folder(t), "class-index", index), 0)
	if !slices.Equal(s.Test.Labels, []int32{1, 2}) || len(s.Test.Classes) != 3 {
		t.Errorf("labels %v of %v", s.Test.Labels, s.Test.Classes)
	}
	refuse(t, WithOption("folder:"+folderTree().folder(t), "class-index", save(t, "x.json", []byte(`["cat","emu"]`))), "class-index: expected the class dog of test/dog/0.png")
	numbered := open(t, WithOption("npz:"+save(t, "x.npz", npzTree().zip(t)), "class-index", index), 0)
	if numbered.Test.Numbered || numbered.Test.Classes[2] != "dog" {
		t.Errorf("classes %v", numbered.Test.Classes)
	}
}

func FuzzLabelTable(f *testing.F) {
	f.Add([]byte("file,label\na,1\n"), []byte(index2))
	f.Add([]byte("a 1\nb 2"), []byte("cat\nemu"))
	f.Fuzz(func(t *testing.T, table, index []byte) {
		rows, err := parseLabelTable(table)
		for _, r := range rows {
			if err == nil && (r.file == "" || r.class == "") {
				t.Errorf("row %+v", r)
			}
		}
		if c, err := parseClassIndex(index); err == nil && len(c.classes()) != len(c.names) {
			t.Errorf("%d names of %d classes", len(c.classes()), len(c.names))
		}
	})
}
