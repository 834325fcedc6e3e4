// Package units reads quantities that people write in more than one way.
package units

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseEps reads the radius of a perturbation: a decimal number such as "0.031", or a fraction such as "8/255". A
// negative number and one that is not finite are errors.
func ParseEps(text string) (float64, error) {
	number, denominator, fraction := strings.Cut(text, "/")
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err == nil && fraction {
		var d float64
		d, err = strconv.ParseFloat(strings.TrimSpace(denominator), 64)
		if !(d > 0) {
			value = math.NaN()
		}
		value /= d
	}
	if err != nil || !(value >= 0) || math.IsInf(value, 0) {
		return 0, fmt.Errorf("expected a number such as 8/255 or 0.031, found %q", text)
	}
	return value, nil
}
