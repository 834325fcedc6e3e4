package dataset

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxTable is the largest table of labels, in bytes.
const maxTable = 256 << 20

// Names of the columns of a table of labels, in lower case.
var (
	fileColumns  = []string{"file", "filename", "file_name", "file_path", "filepath", "image", "image_id", "imageid", "image_path", "img", "path", "name", "id"}
	labelColumns = []string{"label", "labels", "class", "class_name", "class_id", "target", "category", "y", "predictionstring", "finegrained_label"}
	splitColumns = []string{"split", "subset", "set", "partition"}
)

// labelRow is what a table tells of an image.
type labelRow struct {
	file, class string
	split       split
	line        int
}

// labelled sets the classes of images from a table: a row for each with its file and its class, and its part where there is a column for
// it. The file is its name below the root of the source or below the common folders, with or without its extension, or the last part of
// that name alone where it is unique. Classes are labels of the index, numbers, or names, which are sorted.
func (t *imageTree) labelled(table string, index *classIndex) error {
	data, err := readSmall(table, maxTable)
	if err != nil {
		return fmt.Errorf("labels: %s: %w", table, err)
	}
	rows, err := parseLabelTable(data)
	if err == nil {
		err = t.match(rows)
	}
	if err == nil {
		err = t.number(index)
	}
	if err != nil {
		return fmt.Errorf("labels: %s: %w", table, err)
	}
	return nil
}

// parseLabelTable reads a CSV, a table with tabs, or one with spaces. The first row may name the columns; without names the first column is
// the file and the second the class.
func parseLabelTable(data []byte) ([]labelRow, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	line, _, _ := bytes.Cut(data, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	for _, comma := range ",\t; " {
		if bytes.ContainsRune(line, comma) {
			r.Comma = comma
			break
		}
	}
	records, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	file, class, part, first := 0, 1, -1, 0
	if len(records) > 0 {
		if f, c, p := columns(records[0], fileColumns), columns(records[0], labelColumns), columns(records[0], splitColumns); f >= 0 && c >= 0 {
			file, class, part, first = f, c, p, 1
		}
	}
	var rows []labelRow
	for i, record := range records[min(first, len(records)):] {
		if len(record) <= max(file, class, part) {
			return nil, fmt.Errorf("row %d: expected a file and a class, found %.60q", i+first+1, record)
		}
		row := labelRow{file: strings.TrimSpace(record[file]), line: i + first + 1}
		if fields := strings.Fields(record[class]); len(fields) > 0 && first == 1 && strings.EqualFold(records[0][class], "PredictionString") {
			row.class = fields[0] // of ImageNet's table: the class and its boxes
		} else {
			row.class = strings.TrimSpace(record[class])
		}
		if part >= 0 {
			if row.split = splitOf(record[part]); row.split == none {
				return nil, fmt.Errorf("row %d: expected a part such as train or test, found %.60q", row.line, record[part])
			}
		}
		if row.file == "" || row.class == "" {
			return nil, fmt.Errorf("row %d: expected a file and a class, found %.60q", row.line, record)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("expected rows of a file and a class, found none")
	}
	return rows, nil
}

// columns is the column with one of the names, -1 for none.
func columns(header, names []string) int {
	return slices.IndexFunc(header, func(h string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(h))) })
}

// match gives the images the classes of their rows. Images without a row are left out, rows without an image are counted.
func (t *imageTree) match(rows []labelRow) error {
	byName := map[string]int{} // -1 for a name of several images
	for i, f := range t.files {
		for _, name := range namesOf(f.name) {
			if k, known := byName[name]; known && k != i {
				byName[name] = -1
			} else {
				byName[name] = i
			}
		}
	}
	for i, f := range t.files {
		byName[f.name] = i // a whole name is that of its image, whatever shorter names are
	}
	given := make([]int, len(t.files)) // by image: the row
	lost := 0
	for _, row := range rows {
		i, known := byName[clean(row.file)]
		switch {
		case !known:
			lost++
			continue
		case i < 0:
			return fmt.Errorf("row %d: several images are named %s", row.line, row.file)
		case given[i] > 0 && t.files[i].class != row.class:
			return fmt.Errorf("row %d: %s has the class %s, and %s in row %d", row.line, row.file, row.class, t.files[i].class, given[i])
		}
		t.files[i].class, t.files[i].split, given[i] = row.class, row.split, row.line
	}
	var kept []imageFile
	for i, f := range t.files {
		if given[i] > 0 {
			if f.split == none {
				f.split = test
			}
			kept = append(kept, f)
		} else {
			t.leftOut = append(t.leftOut, LeftOut{f.file.name, "the table of labels has no row of it"})
		}
	}
	if len(kept) == 0 {
		return fmt.Errorf("none of the %d rows names one of the %d images; the first row names %q", len(rows), len(t.files), rows[0].file)
	}
	if lost > 0 {
		t.notes = append(t.notes, fmt.Sprintf("%d of %d rows of the table of labels name no image", lost, len(rows)))
	}
	slices.SortFunc(kept, func(a, b imageFile) int { return strings.Compare(a.name, b.name) })
	t.files = kept
	return nil
}

// namesOf are the names by which a row can mean an image.
func namesOf(name string) []string {
	var all []string
	for rest := name; ; {
		all = append(all, rest, strings.TrimSuffix(rest, path.Ext(rest)))
		_, below, more := strings.Cut(rest, "/")
		if !more {
			return all
		}
		rest = below
	}
}

// number numbers the classes of the rows.
func (t *imageTree) number(index *classIndex) error {
	if index != nil {
		return t.label(index)
	}
	last := 0
	for i := range t.files {
		f := &t.files[i]
		label, err := strconv.Atoi(f.class)
		if err != nil {
			return t.label(nil)
		}
		if label < 0 || label >= maxClasses {
			return fmt.Errorf("%s: expected a label from 0 to %d, found %d", f.name, maxClasses-1, label)
		}
		f.label, last = int32(label), max(last, label)
	}
	t.classes, t.numbered = numbers(last+1), true
	return nil
}
