package units

import (
	"math"
	"testing"
)

func TestParseEps(t *testing.T) {
	for text, want := range map[string]float64{
		"8/255": 8. / 255, "0.031": 0.031, "0": 0, " 4 / 255 ": 4. / 255, "1e-3": 1e-3, "0.5": 0.5, "0/1": 0, "2.5/10": 0.25,
	} {
		if got, err := ParseEps(text); err != nil || got != want {
			t.Errorf("%q: expected %v, found %v, %v", text, want, got, err)
		}
	}
	for _, text := range []string{"", "/", "8/", "/255", "8/0", "8/-255", "-8/255", "nan", "inf", "1/inf/2", "8/255/2", "1e999", "0/0", "x"} {
		if got, err := ParseEps(text); err == nil {
			t.Errorf("%q: expected an error, found %v", text, got)
		}
	}
}

func FuzzParseEps(f *testing.F) {
	f.Add("8/255")
	f.Add("0.031")
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := ParseEps(text); err == nil && (!(v >= 0) || math.IsInf(v, 0)) {
			t.Errorf("%q: found %v", text, v)
		}
	})
}
