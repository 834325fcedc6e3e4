package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// maxIndexFile is the largest file of class names, in bytes.
const maxIndexFile = 16 << 20

// classIndex is the names of classes by label, each with its other names, such as n01440764 and tench.
type classIndex struct {
	names [][]string
	label map[string]int // by any name that one class has
}

// readClassIndex reads a file of class names: {"0": ["n01440764", "tench"], ...} as imagenet_class_index.json of Keras, {"0": "tench"},
// {"tench": 0} as class_to_idx of torchvision, ["tench", ...], or a text with a name in each line.
func readClassIndex(path string) (*classIndex, error) {
	data, err := readSmall(path, maxIndexFile)
	if err == nil {
		var c *classIndex
		if c, err = parseClassIndex(data); err == nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("class-index: %s: %w", path, err)
}

// readSmall reads a regular file of at most limit bytes. Errors leave out the path.
func readSmall(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("no such file or it cannot be read")
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("expected a regular file, found %s", info.Mode().Type())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("no such file or it cannot be read")
	}
	defer f.Close()
	return readEntry(f, limit)
}

func parseClassIndex(data []byte) (*classIndex, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var names [][]string
	var err error
	switch first := bytes.TrimSpace(data); {
	case bytes.HasPrefix(first, []byte("{")):
		names, err = indexObject(data)
	case bytes.HasPrefix(first, []byte("[")):
		var list []string
		if err = json.Unmarshal(data, &list); err != nil {
			return nil, fmt.Errorf("expected a list of names: %w", err)
		}
		for _, name := range list {
			names = append(names, []string{name})
		}
	default:
		for line := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n") {
			names = append(names, []string{strings.TrimSpace(line)})
		}
	}
	if err != nil {
		return nil, err
	}
	if len(names) > maxClasses {
		return nil, fmt.Errorf("expected at most %d classes, found %d", maxClasses, len(names))
	}
	c := &classIndex{names: names, label: map[string]int{}}
	for k, all := range names {
		if len(all) == 0 || slices.Contains(all, "") {
			return nil, fmt.Errorf("class %d: expected a name, found none", k)
		}
		for _, name := range all {
			if other, known := c.label[name]; known && other != k {
				c.label[name] = -1 // a name of several classes, such as crane in ImageNet, tells none of them
				continue
			}
			c.label[name] = k
		}
	}
	return c, nil
}

// indexObject reads an object by label or by name. Every label from 0 on has to be there once.
func indexObject(data []byte) ([][]string, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	names := make([][]string, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		value := object[key]
		var list []string
		var name string
		label, err := strconv.Atoi(key)
		switch {
		case json.Unmarshal(value, &label) == nil: // {"tench": 0}
			list = []string{key}
		case err == nil && json.Unmarshal(value, &name) == nil:
			list = []string{name}
		case err == nil && json.Unmarshal(value, &list) == nil:
		default:
			return nil, fmt.Errorf("%.60q: expected a label with a name or a list of names, or a name with a label, found %.60s", key, value)
		}
		if label < 0 || label >= len(names) || names[label] != nil {
			return nil, fmt.Errorf("expected the labels 0 to %d, each once", len(names)-1)
		}
		names[label] = list
	}
	return names, nil
}

// classes are the last names of the classes, which are for people; with the first name where a class shares it with another.
func (c *classIndex) classes() []string {
	list := make([]string, len(c.names))
	for k, names := range c.names {
		list[k] = names[len(names)-1]
		if c.label[list[k]] < 0 && len(names) > 1 {
			list[k] += " (" + names[0] + ")"
		}
	}
	return list
}

// find is the label of a class by any of its names, or by its number where no class has that name; false for none.
func (c *classIndex) find(name string) (label int, ok bool) {
	if label, ok = c.label[name]; ok {
		return label, label >= 0
	}
	label, err := strconv.Atoi(name)
	return label, err == nil && label >= 0 && label < len(c.names)
}

// cover names the classes of a source that counts them only.
func (c *classIndex) cover(d *Dataset) (*Dataset, error) {
	for i, label := range d.Labels {
		if int(label) >= len(c.names) {
			return nil, fmt.Errorf("class-index: %d classes, image %d has label %d", len(c.names), d.Row(i), label)
		}
	}
	s := *d
	s.Classes, s.Numbered = c.classes(), false
	return &s, nil
}
