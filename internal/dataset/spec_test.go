package dataset

import (
	"context"
	"strings"
	"testing"
)

func TestParseSpec(t *testing.T) {
	base := Spec{Kind: "synthetic", Classes: 10, Size: 32, Train: 4000, Test: 1000}
	small := base
	small.Classes, small.Size, small.Seed, small.Train, small.Test, small.Limit = 20, 16, 1<<64-1, 5, 6, 3
	limited := base
	limited.Limit = 7
	for text, want := range map[string]Spec{
		"synthetic":         base,
		"synthetic:":        base,
		"synthetic?limit=7": limited,
		"synthetic:classes=20,size=16,seed=18446744073709551615,train=5&test=6,limit=3": small,
		"folder:/a/b":                     {Kind: "folder", Path: "/a/b"},
		"folder:/a?b/c?limit=5":           {Kind: "folder", Path: "/a?b/c", Limit: 5},
		`idx:C:\data?train=1,test=2`:      {Kind: "idx", Path: `C:\data`, Train: 1, Test: 2},
		"npz:x.npz?seed=4&limit=2":        {Kind: "npz", Path: "x.npz", Seed: 4, Limit: 2},
		"cifar10:x.tar.gz?":               {Kind: "cifar10", Path: "x.tar.gz"},
		"cifar100:a,b=c/cifar-100?test=9": {Kind: "cifar100", Path: "a,b=c/cifar-100", Test: 9},
	} {
		if got, err := ParseSpec(text); err != nil || got != want {
			t.Errorf("ParseSpec(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestParseSpecErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 `expected synthetic, cifar10,`,
		"imagenet:/x":                      `found "imagenet"`,
		"folder":                           "expected folder:PATH, found no path",
		"folder:?limit=3":                  "expected folder:PATH, found no path",
		"folder:/x?classes=3":              `unknown option "classes"`,
		"folder:/x?limit=0":                `limit: expected a number from 1 to 2147483648, found "0"`,
		"synthetic:limit":                  `limit: expected a number`,
		"synthetic:seed=-1":                "seed: expected a number from 0",
		"synthetic:classes=21":             "from 2 to 20",
		"synthetic:size=1":                 "from 16 to 256",
		"synthetic:size=256,train=1000000": "expected at most 4294967296",
	} {
		if _, err := Open(context.Background(), text, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) gave %v, want an error with %q", text, err, want)
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, seed := range []string{"synthetic:classes=3,size=16", "folder:/x?limit=5&seed=1", "idx:", "npz:?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSpec(text)
		if err != nil {
			return
		}
		if (s.Kind == "synthetic") != (s.Path == "") || s.Limit < 0 || s.Train < 0 || s.Test < 0 || !strings.HasPrefix(text, s.Kind) {
			t.Errorf("ParseSpec(%q) = %+v", text, s)
		}
	})
}
