package genotype_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rnas/genotype"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestDrawingsMatchGolden(t *testing.T) {
	for _, name := range []string{"DARTS_V2", "CROZE", "LRNAS_cifar100", "RobNet_large_v1"} {
		entry, err := genotype.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		for extension, draw := range drawings {
			t.Run(name+extension, func(t *testing.T) {
				var got bytes.Buffer
				if err := draw(&got, entry.Genotype); err != nil {
					t.Fatal(err)
				}
				golden := filepath.Join("testdata", name+extension)
				if *update {
					if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Bytes(), want) {
					t.Errorf("drawing differs from %s (-update rewrites it); got\n%s", golden, got.String())
				}
			})
		}
	}
}

var drawings = map[string]func(io.Writer, genotype.Genotype) error{".dot": genotype.Dot, ".svg": genotype.SVG}

func TestDrawingsRejectInvalidGenotype(t *testing.T) {
	for extension, draw := range drawings {
		var out bytes.Buffer
		err := draw(&out, genotype.Genotype{})
		if err == nil || out.Len() > 0 {
			t.Errorf("%s of an invalid genotype: error %v, %d bytes written, expected an error and no bytes", extension, err, out.Len())
		}
	}
}

func TestDrawingsReturnWriteError(t *testing.T) {
	g := genotype.Zoo()[0].Genotype
	for extension, draw := range drawings {
		if err := draw(fullDisk{}, g); !errors.Is(err, errFull) {
			t.Errorf("%s: error %v, expected %v", extension, err, errFull)
		}
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// A name may hold any text, so it must not break out of the markup.
func TestSVGEscapesName(t *testing.T) {
	g := genotype.Zoo()[0].Genotype
	g.Name = "</title><script>&\"\x00"
	var out bytes.Buffer
	if err := genotype.SVG(&out, g); err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(&out); ; {
		token, err := decoder.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "script" {
			t.Fatal("the name became markup")
		}
	}
}
