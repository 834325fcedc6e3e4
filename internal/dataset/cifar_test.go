package dataset

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// record is a CIFAR record: labels and an image whose byte p of channel c is start + c + p (mod 256).
func record(start int, labels ...byte) []byte {
	r := bytes.Clone(labels)
	for c := range 3 {
		for p := range 1024 {
			r = append(r, byte(start+c+p))
		}
	}
	return r
}

func cifar10Tree() tree {
	files := tree{
		"batches.meta.txt": []byte("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"),
		"test_batch.bin":   record(100, 9),
		"readme.html":      []byte("<html>"),
	}
	for b := range 5 {
		files[fmt.Sprintf("data_batch_%d.bin", b+1)] = append(record(2*b, byte(b)), record(2*b+1, byte(b+5))...)
	}
	return files
}

func cifar100Tree() tree {
	var names strings.Builder
	for k := range 100 {
		fmt.Fprintf(&names, "fine%d\n", k)
	}
	return tree{
		"fine_label_names.txt":   []byte(names.String()),
		"coarse_label_names.txt": []byte("a\nb\n"),
		"train.bin":              append(record(0, 3, 99), record(1, 4, 0)...),
		"test.bin":               record(2, 5, 42),
	}
}

func checkRecord(t *testing.T, d *Dataset, i, start, label int) {
	t.Helper()
	if want := record(start); !bytes.Equal(d.Images[i*3072:(i+1)*3072], want) || d.Labels[i] != int32(label) {
		t.Errorf("image %d of %s (label %d) differs from the record %d with label %d", i, d.Name, d.Labels[i], start, label)
	}
}

func TestCIFAR10(t *testing.T) {
	for form, place := range cifar10Tree().under("cifar-10-batches-bin").forms(t) {
		s := open(t, "cifar10:"+place, 0)
		if s.Train.Len() != 10 || s.Test.Len() != 1 || s.Train.Shape != [3]int{3, 32, 32} || s.Train.Classes[9] != "truck" {
			t.Fatalf("%s: %d and %d images, classes %v", form, s.Train.Len(), s.Test.Len(), s.Train.Classes)
		}
		for i := range 10 {
			checkRecord(t, s.Train, i, i, i/2+i%2*5)
		}
		checkRecord(t, s.Test, 0, 100, 9)
		if l := open(t, "cifar10:"+place+"?limit=4&test=1", 0); l.Train.Len() != 4 || l.Test.Len() != 1 {
			t.Errorf("limits give %d and %d images", l.Train.Len(), l.Test.Len())
		}
	}
}

func TestCIFAR100FineLabels(t *testing.T) {
	s := open(t, "cifar100:"+cifar100Tree().folder(t), 0)
	if s.Train.Len() != 2 || s.Test.Len() != 1 || s.Train.Classes[42] != "fine42" {
		t.Fatalf("%d and %d images, classes %v", s.Train.Len(), s.Test.Len(), s.Train.Classes)
	}
	checkRecord(t, s.Train, 0, 0, 99)
	checkRecord(t, s.Train, 1, 1, 0)
	checkRecord(t, s.Test, 0, 2, 42)
}

func TestCIFARErrors(t *testing.T) {
	good := cifar10Tree()
	for _, test := range []struct {
		files  tree
		wanted []string
	}{
		{good.without("data_batch_3.bin"), []string{"expected data_batch_3.bin of the binary version, found none"}},
		{good.without("test_batch.bin"), []string{"test_batch.bin"}},
		{good.without("batches.meta.txt"), []string{"batches.meta.txt"}},
		{good.with("batches.meta.txt", []byte("cat\ndog\n")), []string{"batches.meta.txt: expected 10 class names, found 2"}},
		{good.with("data_batch_2.bin", record(0, 1)[:3000]), []string{"data_batch_2.bin: expected a multiple of 3073 bytes, found 3000"}},
		{good.with("test_batch.bin", nil), []string{"test_batch.bin: expected a multiple of 3073 bytes, found 0"}},
		{good.with("data_batch_1.bin", append(record(0, 1), record(0, 10)...)), []string{"data_batch_1.bin: record 1: expected a label below 10, found 10"}},
		{good.with("again/test_batch.bin", record(0, 1)), []string{"test_batch.bin: found a second time"}},
	} {
		place := test.files.folder(t)
		refuse(t, "cifar10:"+place, append(test.wanted, place)...)
	}
	refuse(t, "cifar100:"+cifar100Tree().with("train.bin", record(0, 1, 100)).folder(t), "train.bin: record 0: expected a label below 100, found 100")
	refuse(t, "cifar10:"+good.folder(t)+"/nowhere", "nowhere: no such file")
}

func FuzzCIFAR(f *testing.F) {
	f.Add(record(0, 1), []byte("a b c d e f g h i j"))
	f.Add(record(0, 99), []byte("a"))
	f.Fuzz(func(t *testing.T, batch, names []byte) {
		files := map[string][]byte{cifar10.names: names, cifar10.test: batch}
		for _, name := range cifar10.train {
			files[name] = batch
		}
		s, err := cifar10.parse(files)
		if err == nil {
			checkInvariants(t, s)
		}
	})
}
