package table

import "slices"

// Fill adds the ragged records to the rows, behind the others: a class is a value of the column of that name, the genotypes of a class
// compute the same, and a ragged record has, in its place, that value, and in all other columns the cells of the first row of its class.
// An error, which leaves the table alone, says that a ragged record has no class with a row.
func (t *Table) Fill(column string) error {
	c, err := t.Column(column)
	if err != nil {
		return err
	}
	first := map[string]int{}
	for i, r := range t.Rows {
		if _, ok := first[r.Cells[c]]; !ok {
			first[r.Cells[c]] = i
		}
	}
	filled := make([]Row, len(t.Ragged))
	for k, r := range t.Ragged {
		i, ok := 0, c < len(r.Cells)
		if ok {
			i, ok = first[r.Cells[c]]
		}
		if !ok {
			return t.fail(r.Line, "expected %d fields, or a %s that a row of so many has, found %d", len(t.Columns)+1, column, len(r.Cells)+1)
		}
		filled[k] = Row{r.Genotype, slices.Clone(t.Rows[i].Cells), r.Line}
	}
	whole := len(t.Rows)
	t.Rows, t.Ragged = append(t.Rows, filled...), nil
	t.enter(whole)
	return nil
}
