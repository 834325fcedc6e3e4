package train

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/genotype"
)

const tableHead = "| key | form | meaning |\n|---|---|---|\n"

// The table of metadata, in README.md or one page of docs, lists exactly the rows of Metadata.
func TestMetadataTable(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	want := tableHead
	for _, k := range Metadata {
		want += fmt.Sprintf("| `%s` | %s | %s |\n", k.Key, k.Form, k.Meaning)
	}
	tables := 0
	for _, path := range append(pages, "../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := strings.Index(string(text), tableHead)
		if at < 0 {
			continue
		}
		tables++
		got, _, _ := strings.Cut(string(text[at:]), "\n\n")
		if strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%s: the table of metadata is\n%s\nwant\n%s", path, got, want)
		}
	}
	if tables != 1 {
		t.Errorf("%d tables of metadata, want 1:\n%s", tables, want)
	}
}

func TestMetadataKeysAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Metadata {
		if k.Key == "" || k.Meaning == "" || seen[k.Key] {
			t.Errorf("row %+v", k)
		}
		seen[k.Key] = true
	}
}

// What is empty has no key.
func TestMetadataLeavesOut(t *testing.T) {
	w := &Weights{Record: `{"attack":{"epsilon":0}}`}
	w.Network.Genotype = genotype.Zoo()[0].Genotype
	meta, err := w.metadata()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{
		MetaFormat: true, MetaNetwork: true, MetaTraining: true, MetaInputRange: true,
		MetaClasses: false, MetaMean: false, MetaStd: false, MetaEps: false, MetaGradient: false, MetaAttack: false,
	} {
		if _, has := meta[key]; has != want {
			t.Errorf("%s: found %t, want %t", key, has, want)
		}
	}
}
