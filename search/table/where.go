package table

import (
	"fmt"
	"regexp"
	"strconv"
)

// Condition selects rows by one column.
type Condition struct {
	text    string
	column  string
	divisor int64 // of %, else 0
	value   float64
	less    bool
}

var conditions = regexp.MustCompile(`^\s*([^%=<>]+?)\s*(?:%\s*([0-9]+)\s*==|(==|<))\s*(\S+)\s*$`)

// ParseCondition reads COLUMN==V, COLUMN<V or, for a column of integers, COLUMN%N==K; V, N and K are numbers.
func ParseCondition(text string) (*Condition, error) {
	fail := fmt.Errorf("expected COLUMN%%N==K, COLUMN==V or COLUMN<V, found %q", text)
	part := conditions.FindStringSubmatch(text)
	if part == nil {
		return nil, fail
	}
	c := &Condition{text: text, column: part[1], less: part[3] == "<"}
	var err error
	if c.value, err = strconv.ParseFloat(part[4], 64); err != nil || c.value-c.value != 0 {
		return nil, fail
	}
	if part[2] != "" {
		if c.divisor, err = strconv.ParseInt(part[2], 10, 64); err != nil || c.divisor == 0 {
			return nil, fail
		}
	}
	return c, nil
}

// Where are those of rows that a condition selects, in their order; an error when there are none.
func (t *Table) Where(rows []int, c *Condition) ([]int, error) {
	column, err := t.Column(c.column)
	if err != nil {
		return nil, err
	}
	var chosen []int
	for _, i := range rows {
		v, err := t.Number(i, column)
		if err != nil {
			return nil, err
		}
		if c.divisor != 0 {
			n, err := strconv.ParseInt(t.Rows[i].Cells[column], 10, 64)
			if err != nil {
				return nil, t.fail(t.Rows[i].Line, "column %s: expected an integer, found %q", c.column, t.Rows[i].Cells[column])
			}
			v = float64(((n % c.divisor) + c.divisor) % c.divisor)
		}
		if !c.less && v == c.value || c.less && v < c.value {
			chosen = append(chosen, i)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%s: expected rows with %s, found none", t.Path, c.text)
	}
	return chosen, nil
}
