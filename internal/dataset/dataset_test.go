package dataset

import (
	"slices"
	"strings"
	"testing"
)

// numbered returns n images of 1x1x2 with the values (i, label) and unbalanced labels over three classes.
func numbered(n int) *Dataset {
	d := &Dataset{Name: "numbered", Classes: []string{"a", "b", "c"}, Shape: [3]int{1, 1, 2}}
	for i := range n {
		label := min(2, i%6/2+i%2) // of six images one a, two b, three c
		d.Images = append(d.Images, uint8(i), uint8(label))
		d.Labels = append(d.Labels, int32(label))
	}
	return d
}

func counts(d *Dataset) []int {
	c := make([]int, len(d.Classes))
	for i, label := range d.Labels {
		c[label]++
		if d.Images[2*i+1] != uint8(label) {
			panic("image and label parted")
		}
	}
	return c
}

func TestLimitIsStratifiedPrefix(t *testing.T) {
	d := numbered(60)
	if got, want := counts(d), []int{10, 20, 30}; !slices.Equal(got, want) {
		t.Fatalf("counts %v, want %v", got, want)
	}
	previous := d.Limit(59, 7)
	for n := 58; n > 0; n-- {
		l := d.Limit(n, 7)
		if l.Len() != n || !slices.Equal(l.Images, previous.Images[:2*n]) {
			t.Fatalf("limit %d is not a prefix of limit %d", n, n+1)
		}
		for class, c := range counts(l) {
			if diff := 6*c - n*(class+1); diff < -6 || diff > 6 {
				t.Fatalf("limit %d has %v", n, counts(l))
			}
		}
		previous = l
	}
	if slices.Equal(d.Limit(30, 7).Images, d.Limit(30, 8).Images) {
		t.Error("the seed does not matter")
	}
	if d.Limit(0, 1) != d || d.Limit(60, 1) != d {
		t.Error("no limit makes a copy")
	}
}

func TestSplitIsPartition(t *testing.T) {
	d := numbered(60)
	a, b, err := d.Split(0.5, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []*Dataset{a, b} {
		if got, want := counts(part), []int{5, 10, 15}; !slices.Equal(got, want) {
			t.Errorf("counts %v, want %v", got, want)
		}
	}
	var all []uint8
	for _, part := range []*Dataset{a, b} {
		var own []uint8
		for i := range part.Len() {
			own = append(own, part.Images[2*i])
		}
		if !slices.IsSorted(own) {
			t.Errorf("part %v is not in the order of the whole", own)
		}
		all = append(all, own...)
	}
	slices.Sort(all)
	for i, v := range all {
		if int(v) != i {
			t.Fatalf("parts hold %v", all)
		}
	}
	for _, fraction := range []float64{0, 1, -1, 2, 0.001, 0.999} {
		if _, _, err := d.Split(fraction, 3); err == nil || !strings.Contains(err.Error(), "numbered") {
			t.Errorf("fraction %v: error %v", fraction, err)
		}
	}
}

func TestDigestSeesContentOnly(t *testing.T) {
	d := numbered(6)
	digest := d.Digest()
	d.Name = "other"
	if d.Digest() != digest {
		t.Error("digest sees the name")
	}
	seen := map[string]bool{digest: true}
	for _, change := range []func(*Dataset){
		func(d *Dataset) { d.Images[3]++ },
		func(d *Dataset) { d.Labels[0] = 1 },
		func(d *Dataset) { d.Classes = []string{"a", "b", "d"} },
		func(d *Dataset) { d.Shape = [3]int{1, 2, 1} },
	} {
		c := numbered(6)
		change(c)
		if seen[c.Digest()] {
			t.Errorf("digest %s twice", c.Digest())
		}
		seen[c.Digest()] = true
	}
}
