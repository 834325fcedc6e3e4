package genotype

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxFile bounds the size of a genotype file in bytes; published genotypes take about 1 kB.
const maxFile = 1 << 20

// Parse reads one genotype in the Python text form of String or in the JSON form of MarshalJSON. The text form may start
// with "NAME =" and may hold any white space, # comments, either kind of quotes and of brackets, its keywords in any
// order, and range(first, end) for a concat. A nil error implies a valid genotype. Errors give the offset in bytes, or
// the cell and the edge.
func Parse(text string) (Genotype, error) {
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		var g Genotype
		err := g.UnmarshalJSON([]byte(text))
		return g, err
	}
	g, err := parseText(text)
	if err != nil {
		return Genotype{}, err
	}
	return g, nil
}

// Load returns the genotype that spec names: "zoo:NAME" for one of the zoo, a string of NAS-Bench-201, else the path of a
// file that Parse reads.
func Load(spec string) (Genotype, error) {
	if strings.HasPrefix(spec, "|") {
		return Parse(spec)
	}
	if name, ok := strings.CutPrefix(spec, "zoo:"); ok {
		e, err := Lookup(name)
		return e.Genotype, err
	}
	text, err := readFile(spec)
	if err != nil {
		return Genotype{}, fmt.Errorf("genotype: %w", err)
	}
	g, err := Parse(text)
	if err != nil {
		return Genotype{}, fmt.Errorf("genotype %s: %w", spec, err)
	}
	return g, nil
}

// readFile returns the text of a file of at most maxFile bytes. Its errors name the file.
func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if len(data) > maxFile {
		return "", fmt.Errorf("%s: larger than %d bytes, expected a single genotype", path, maxFile)
	}
	return string(data), nil
}
