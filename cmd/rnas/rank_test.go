package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/runtime/ort/orttest"
)

const rankTable = `genotype,class,acc
|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|nor_conv_1x1~1|nor_conv_3x3~2|,1,0.44
|nor_conv_1x1~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|,2,0.3
|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|,3,0.35
|none~0|+|none~0|none~1|+|none~0|none~1|none~2|,3,0.1
|skip_connect~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|,4,
`

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A ranking from a table, from lines looked up in a table, and taken up again.
func TestRank(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	tab := writeFile(t, dir, "a.csv", rankTable)
	common := []string{"--channels", "2", "--batch", "4", "--scores", "combined", "--data", "synthetic:size=16,train=40,test=10"}
	rank := func(args ...string) (string, string) {
		return succeed(t, append(append([]string{"rank"}, args...), common...)...)
	}

	out := filepath.Join(dir, "out.csv")
	first, _ := rank(tab, "--distinct", "class", "--sample", "3", "--seed", "3", "--out", out, "--against", "acc")
	for _, want := range []string{"score", "params", "naswot", "combined", "Spearman given params"} {
		if !strings.Contains(first, want) {
			t.Errorf("expected %q in\n%s", want, first)
		}
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 4 || lines[0] != "genotype,params,naswot,jacov,input-gradient,combined,acc" {
		t.Errorf("found\n%s", text)
	}
	again, told := rank(tab, "--distinct", "class", "--sample", "3", "--seed", "3", "--out", out, "--against", "acc")
	if again != first || !strings.Contains(told, "rank: 3 of 3 genotypes were scored before") {
		t.Errorf("found\n%s\nexpected\n%s\nwas told %s", again, first, told)
	}

	list := writeFile(t, dir, "b.jsonl", `{"genotype": "|nor_conv_1x1~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"}
{"genotype": {"form": "nb201", "cell": "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"}, "acc": 9}
`)
	doc, _ := rank(list, "--table", tab, "--against", "acc", "--json", "--space", "nas-bench-201")
	var r struct {
		Against      string
		Correlations []struct {
			Score           string
			Spearman        struct{ Value float64 }
			PartialSpearman *struct{ Value float64 } `json:"partial_spearman"`
		}
		Genotypes []map[string]any
	}
	if err := json.Unmarshal([]byte(doc), &r); err != nil {
		t.Fatal(err)
	}
	if r.Against != "acc" || len(r.Genotypes) != 2 || r.Genotypes[0]["acc"] != 0.3 || r.Genotypes[1]["acc"] != 0.35 {
		t.Errorf("found %s", doc)
	}
	if c := r.Correlations[0]; c.Score != "params" || c.Spearman.Value != 1 || c.PartialSpearman != nil {
		t.Errorf("found %+v, expected that more parameters have the higher accuracy, and nothing given parameters", c)
	}
	lines2 := filepath.Join(dir, "out.jsonl")
	plain, _ := rank(list, "--out", lines2)
	if text, err := os.ReadFile(lines2); err != nil || !strings.HasPrefix(string(text), `{"genotype":"|nor_conv_1x1~0|`) || strings.Count(string(text), "\n") != 2 {
		t.Errorf("found %s and %v", text, err)
	}
	if !strings.HasPrefix(plain, "params") || strings.Count(plain, "\n") != 3 {
		t.Errorf("found\n%s", plain)
	}
}

// Bad input is told in one line with status 2, before any work.
func TestRankErrors(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "a.csv", rankTable)
	writeFile(t, dir, "b.jsonl", `{"genotype": "|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|"}`)
	for _, c := range []struct{ args, want string }{
		{"", "rnas: rank: expected one table of genotypes, found none"},
		{"DIR/c.csv", "rnas: rank: open DIR/c.csv: no such file or directory"},
		{"DIR/a.csv --scores speed", `rnas: rank: --scores: expected a score among params, macs, latency, naswot, jacov, synflow, snip, grad-norm, swap, croze, noise-kl, fgsm-kl, input-gradient, short:SECONDS, combined, weakest, balanced, found "speed"`},
		{"DIR/a.csv --scores short:x", `rnas: rank: --scores: short: expected CPU seconds above 0 and at most 1e+06, found "x"`},
		{"DIR/a.csv --against speed", `rnas: rank: --against: DIR/a.csv: expected a column among class, acc, found "speed"`},
		{"DIR/a.csv --against acc", `rnas: rank: --against: DIR/a.csv:6: column acc: expected a finite number, found ""`},
		{"DIR/b.jsonl --table DIR/a.csv --against acc", "rnas: rank: --table: DIR/a.csv: there is no row of the genotype |none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|"},
		{"DIR/b.jsonl --table DIR/a.csv", "rnas: rank: --table: expected a column of it by --against, found none"},
		{"DIR/a.csv --space mars", `rnas: rank: --space: expected darts, nas-bench-201 or a JSON file, found "mars"`},
		{"DIR/a.csv --space darts", "rnas: rank: DIR/a.csv:2: --space darts: the genotype is not in it: |nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|nor_conv_1x1~1|nor_conv_3x3~2|"},
		{"DIR/a.csv --distinct speed", `rnas: rank: --distinct: DIR/a.csv: expected a column among class, acc, found "speed"`},
		{"DIR/a.csv --where class=2", `rnas: rank: --where: expected COLUMN%N==K, COLUMN==V or COLUMN<V, found "class=2"`},
		{"DIR/a.csv --where class<1", "rnas: rank: --where: DIR/a.csv: expected rows with class<1, found none"},
		{"DIR/a.csv --repeats 0", "rnas: rank: --repeats: expected at least 1, found 0"},
		{"DIR/a.csv --sample 9", "rnas: rank: --sample: expected 1 to 5 rows to draw, found 9"},
		{"DIR/a.csv --out DIR/x.txt", "rnas: rank: --out: expected a file name that ends in .csv or .jsonl, found DIR/x.txt"},
		{"DIR/a.csv --genotype-column arch", `rnas: rank: DIR/a.csv:1: expected a column arch, found ["genotype" "class" "acc"]`},
		{"DIR/a.csv --size 7", "rnas: rank: --size: expected 0 or at least 4 and a divisor of the 16x16 pixels of synthetic:size=16,train=40,test=10 train, found 7"},
	} {
		args := append([]string{"rank"}, strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))...)
		status, out, err := rnas(t, append(args, "--data", "synthetic:size=16,train=40,test=10")...)
		lines := strings.Split(strings.TrimSpace(err), "\n")
		if last := strings.ReplaceAll(lines[len(lines)-1], dir, "DIR"); status != statusUsage || last != c.want || out != "" {
			t.Errorf("rnas rank %s: status %d\nfound    %s\nexpected %s", c.args, status, last, c.want)
		}
	}
}
