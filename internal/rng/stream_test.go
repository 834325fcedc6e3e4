package rng

import (
	"math"
	"slices"
	"testing"
)

// Known answers of Random123 (kat_vectors, philox4x32 10 rounds).
func TestPhiloxKnownAnswers(t *testing.T) {
	const ones = 0xffffffff
	for _, test := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{want: [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{ones, ones, ones, ones}, [2]uint32{ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		var got [4]uint32
		got[0], got[1], got[2], got[3] = philox(test.counter[0], test.counter[1], test.counter[2], test.counter[3], test.key[0], test.key[1])
		if got != test.want {
			t.Errorf("philox(%x, %x) = %x, want %x", test.counter, test.key, got, test.want)
		}
	}
}

func TestAddressLayout(t *testing.T) {
	s := New(0x1122334455667788, Cutout, 0xabcdef, 0x89abcdef, 0xfedcba98)
	for block := range uint32(3) {
		var want, got [4]uint32
		want[0], want[1], want[2], want[3] = philox(block, 0xfedcba98, 0x89abcdef, 5<<24|0xabcdef, 0x55667788, 0x11223344)
		for i := range got {
			got[i] = s.Uint32()
		}
		if got != want {
			t.Errorf("block %d = %x, want %x", block, got, want)
		}
	}
}

func TestAddressOutsideCounterPanics(t *testing.T) {
	for _, a := range [][3]int{{-1, 0, 0}, {1 << 24, 0, 0}, {0, -1, 0}, {0, 1 << 32, 0}, {0, 0, -1}, {0, 0, 1 << 32}} {
		if !panics(func() { New(1, Init, a[0], a[1], a[2]) }) {
			t.Errorf("New with epoch, step, sample %v did not panic", a)
		}
	}
	s := New(1, Init, 0, 0, 0)
	s.block = math.MaxUint32
	s.FillUniform(make([]float32, 4), 0, 1)
	if !panics(func() { s.Uint32() }) {
		t.Error("an exhausted stream did not panic")
	}
	if !panics(func() { s.IntN(0) }) {
		t.Error("IntN(0) did not panic")
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func TestNeighbouringStreamsDiffer(t *testing.T) {
	seen := map[uint64][5]int{}
	for i := range 1 << 10 {
		a := [5]int{i & 3, i >> 2 & 3, i >> 4 & 3, i >> 6 & 3, i >> 8 & 3}
		s := New(uint64(a[0]), Purpose(a[1]), a[2], a[3], a[4])
		w := s.Uint64()
		if other, ok := seen[w]; ok {
			t.Fatalf("streams %v and %v start alike", other, a)
		}
		seen[w] = a
	}
}

func TestIntNUniform(t *testing.T) {
	s := New(3, Init, 0, 0, 0)
	const n, draws = 7, 70000
	var count [n]int
	for range draws {
		count[s.IntN(n)]++
	}
	var chi2 float64
	for _, c := range count {
		chi2 += math.Pow(float64(c)-draws/n, 2) / (draws / n)
	}
	if chi2 > 22.5 { // 0.1 % point of chi-squared with 6 degrees of freedom
		t.Errorf("counts %v, chi-squared %.1f", count, chi2)
	}
	const big = 3 << 61 // rejects a quarter of the draws
	var low int
	for range 4000 {
		if s.IntN(big) < big/2 {
			low++
		}
	}
	if low < 1850 || low > 2150 {
		t.Errorf("%d of 4000 draws in the lower half of a large range", low)
	}
}

func TestPermIsUniformPermutation(t *testing.T) {
	s := New(5, Shuffle, 0, 0, 0)
	count := map[[3]int]int{}
	for range 6000 {
		p := s.Perm(3)
		count[[3]int(p)]++
	}
	if len(count) != 6 {
		t.Fatalf("%d permutations of 3, want 6", len(count))
	}
	for p, c := range count {
		if c < 880 || c > 1120 {
			t.Errorf("permutation %v drawn %d times of 6000", p, c)
		}
	}
	p := s.Perm(1000)
	slices.Sort(p)
	for i, v := range p {
		if i != v {
			t.Fatalf("sorted permutation has %d at %d", v, i)
		}
	}
}

func TestFloatRanges(t *testing.T) {
	if got := unit32(math.MaxUint32); got >= 1 || unit32(0) != 0 {
		t.Errorf("largest Float32 %v", got)
	}
	s := New(9, Init, 0, 0, 0)
	var sum float64
	for range 10000 {
		x := s.Float64()
		if x < 0 || x >= 1 {
			t.Fatalf("Float64 gave %v", x)
		}
		sum += x - float64(s.Float32())
	}
	if math.Abs(sum/10000) > 0.016 {
		t.Errorf("means differ by %v", sum/10000)
	}
}
