package study

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Seeds are distinct seeds, in the order in which they are taken.
type Seeds []uint64

// mostSeeds bounds the number of seeds of a study.
const mostSeeds = 10_000

// ParseSeeds reads seeds and ranges of seeds, separated by commas, such as 0-9 or 0-4,7.
func ParseSeeds(text string) (Seeds, error) {
	var seeds Seeds
	for part := range strings.SplitSeq(text, ",") {
		from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
		first, err := strconv.ParseUint(from, 10, 64)
		last := first
		if err == nil && ranged {
			last, err = strconv.ParseUint(to, 10, 64)
		}
		if err != nil || last < first {
			return nil, fmt.Errorf("expected numbers and ranges such as 0-9, found %q", text)
		}
		if last-first >= mostSeeds || len(seeds)+int(last-first) >= mostSeeds {
			return nil, fmt.Errorf("expected at most %d seeds, found %q", mostSeeds, text)
		}
		for n := range last - first + 1 {
			if slices.Contains(seeds, first+n) {
				return nil, fmt.Errorf("expected distinct seeds, found %d twice in %q", first+n, text)
			}
			seeds = append(seeds, first+n)
		}
	}
	return seeds, nil
}
