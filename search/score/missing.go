package score

import (
	"encoding/json"
	"errors"
	"math"
)

// errRange says that a score has no number for a genotype, since numbers that it is made of leave the range of float32.
var errRange = errors.New("numbers leave the range of float32")

// Number is a score in a file: its JSON form is null where the score is missing, which is NaN.
type Number float64

// MarshalJSON writes a number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads a number, or null.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

// Numbers are scores as they stand in a file.
func Numbers(row []float64) []Number {
	out := make([]Number, len(row))
	for i, v := range row {
		out[i] = Number(v)
	}
	return out
}

// Values are scores that stood in a file.
func Values(row []Number) []float64 {
	out := make([]float64, len(row))
	for i, v := range row {
		out[i] = float64(v)
	}
	return out
}

// present are the places where no column is missing.
func present(columns ...[]float64) []int {
	var index []int
	for i := range columns[0] {
		whole := true
		for _, c := range columns {
			whole = whole && !math.IsNaN(c[i])
		}
		if whole {
			index = append(index, i)
		}
	}
	return index
}
