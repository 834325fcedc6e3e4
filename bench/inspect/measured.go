package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ResultFile is the name of the figures of a benchmark in its folder.
const ResultFile = "result.json"

// Measured is what a benchmark found of a model; accuracies are fractions.
type Measured struct {
	Path   string `json:"path"`
	Points int    `json:"points"`
	Clean  struct {
		Accuracy float64 `json:"accuracy"`
	} `json:"clean"`
	Attacks []struct {
		Name string `json:"name"`
		surviving
	} `json:"attacks"`
	WorstCase surviving `json:"worst_case"`
}

// surviving is the share of the points that are classified rightly and survive.
type surviving struct {
	RobustAccuracy float64 `json:"robust_accuracy"`
}

func (m Measured) String() string {
	parts := []string{fmt.Sprintf("clean %.4f", m.Clean.Accuracy)}
	for _, a := range m.Attacks {
		parts = append(parts, fmt.Sprintf("%s %.4f", a.Name, a.RobustAccuracy))
	}
	if len(m.Attacks) > 1 {
		parts = append(parts, fmt.Sprintf("worst case %.4f", m.WorstCase.RobustAccuracy))
	}
	return fmt.Sprintf("%s on %d images: %s", m.Path, m.Points, strings.Join(parts, ", "))
}

// readMeasured reads the models of the benchmark in a folder, nil if there is none.
func readMeasured(dir string) ([]Measured, error) {
	path := filepath.Join(dir, ResultFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r struct {
		Models []Measured `json:"models"`
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r.Models, nil
}
