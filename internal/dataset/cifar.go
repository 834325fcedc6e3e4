package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// cifarLayout describes the binary version of a CIFAR data set (Krizhevsky 2009): records of labels and 3*32*32 bytes.
type cifarLayout struct {
	train   []string
	test    string
	names   string // text file of the class names, one a line
	head    int    // label bytes before the image
	label   int    // the one that is the class
	classes int
}

var (
	cifar10 = cifarLayout{
		train: []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		test:  "test_batch.bin", names: "batches.meta.txt", head: 1, label: 0, classes: 10,
	}
	cifar100 = cifarLayout{ // coarse label, fine label
		train: []string{"train.bin"},
		test:  "test.bin", names: "fine_label_names.txt", head: 2, label: 1, classes: 100,
	}
)

// read reads the official files from a folder or an archive. All of them must be there.
func (l cifarLayout) read(ctx context.Context, s Spec, _ Options) (*Splits, error) {
	wanted := append(slices.Clone(l.train), l.test, l.names)
	files, err := collect(ctx, s.Path, func(base string) string {
		if slices.Contains(wanted, base) {
			return base
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return l.parse(files)
}

// parse builds the splits from the contents of the files by name.
func (l cifarLayout) parse(files map[string][]byte) (*Splits, error) {
	if files[l.names] == nil {
		return nil, fmt.Errorf("expected %s of the binary version, found none", l.names)
	}
	classes := strings.Fields(string(files[l.names]))
	if len(classes) != l.classes {
		return nil, fmt.Errorf("%s: expected %d class names, found %d", l.names, l.classes, len(classes))
	}
	train, err := l.records(files, classes, l.train)
	if err != nil {
		return nil, err
	}
	test, err := l.records(files, classes, []string{l.test})
	return &Splits{Train: train, Test: test}, err
}

func (l cifarLayout) records(files map[string][]byte, classes, names []string) (*Dataset, error) {
	d := &Dataset{Classes: classes, Shape: [3]int{3, 32, 32}}
	size := l.head + d.Elems()
	for _, name := range names {
		data := files[name]
		if data == nil {
			return nil, fmt.Errorf("expected %s of the binary version, found none", name)
		}
		if len(data) == 0 || len(data)%size != 0 {
			return nil, fmt.Errorf("%s: expected a multiple of %d bytes, found %d", name, size, len(data))
		}
		d.Images = slices.Grow(d.Images, len(data))
		for i := 0; i < len(data); i += size {
			label := data[i+l.label]
			if int(label) >= l.classes {
				return nil, fmt.Errorf("%s: record %d: expected a label below %d, found %d", name, i/size, l.classes, label)
			}
			d.Labels = append(d.Labels, int32(label))
			d.Images = append(d.Images, data[i+l.head:i+size]...)
		}
	}
	return d, nil
}
