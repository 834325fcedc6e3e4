package bench

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rnas/export"
	"rnas/internal/dataset"
	"rnas/train"
)

// classNames are the names of the classes that the metadata of a model tells, nil for none.
func classNames(model []byte) []string {
	h, err := export.ReadHeader(model)
	if err != nil {
		return nil
	}
	var names []string
	if json.Unmarshal([]byte(h.Metadata[train.MetaClasses]), &names) != nil {
		return nil
	}
	return names
}

// fitClasses is the data with labels that are places in the logits of a model of k classes, -1 for as many as there are names. names are
// those of the model, nil for none. Classes are matched by name where the model has every name of the data; else they are taken in the order
// of the data, and the note says what is doubtful about that. Numbered labels need only be below k. An error says that the classes do not fit.
func fitClasses(data *dataset.Dataset, names []string, k int) (fitted *dataset.Dataset, note string, err error) {
	if k < 0 {
		k = max(len(names), len(data.Classes))
	}
	if len(names) != k || repeats(names) {
		names = nil
	}
	d := *data
	switch places := placesOf(data.Classes, names); {
	case data.Numbered && len(data.Classes) > k:
		return nil, "", fmt.Errorf("expected logits float32[N,%d] or more for the labels up to %d of %s, found %d", len(data.Classes), len(data.Classes)-1, data.Name, k)
	case data.Numbered:
		if d.Classes = names; names == nil {
			d.Classes = data.Classes
			for len(d.Classes) < k {
				d.Classes = append(slices.Clip(d.Classes), strconv.Itoa(len(d.Classes)))
			}
		}
		return &d, "", nil
	case names != nil && places != nil:
		d.Classes, d.Labels = names, make([]int32, data.Len())
		for i, label := range data.Labels {
			d.Labels[i] = places[label]
		}
		if !slices.Equal(names, data.Classes) {
			note = "classes are matched by name: the model has them in another order or has more than the data"
		}
		return &d, note, nil
	case len(data.Classes) != k:
		return nil, "", fmt.Errorf("expected logits float32[N,%d] for the %d classes of %s, found %d; --class-index tells the places of named classes among the logits",
			len(data.Classes), len(data.Classes), data.Name, k)
	case names != nil:
		note = fmt.Sprintf("the model names its classes %s, the data %s: they are taken in this order, which may be wrong", some(names), some(data.Classes))
	case !numericOrder(data.Classes):
		note = fmt.Sprintf("the folders %s are in the order of text, as torchvision sorts them: the class named %s has label %d", some(data.Classes), last(data.Classes), slices.Index(data.Classes, last(data.Classes)))
	}
	return &d, note, nil
}

// placesOf is the place among names of each class; nil if one is not there.
func placesOf(classes, names []string) []int32 {
	places := make([]int32, len(classes))
	for i, class := range classes {
		k := slices.Index(names, class)
		if k < 0 {
			return nil
		}
		places[i] = int32(k)
	}
	return places
}

func repeats(names []string) bool {
	sorted := slices.Sorted(slices.Values(names))
	return len(slices.Compact(sorted)) < len(names)
}

// numericOrder reports whether classes are not all numbers, or are in their order.
func numericOrder(classes []string) bool {
	before, ordered := -1, true
	for _, class := range classes {
		n, err := strconv.Atoi(class)
		if err != nil {
			return true
		}
		ordered, before = ordered && n > before, n
	}
	return ordered
}

// last is the class with the largest number.
func last(classes []string) string {
	return slices.MaxFunc(classes, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
}

// some lists the first names.
func some(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + ", ..."
}
