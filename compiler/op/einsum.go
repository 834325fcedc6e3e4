package op

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"rnas/compiler/ir"
)

// Labels are the subscripts of an Einsum: one label for each dimension of each input and of the output. A label is a letter of the
// equation. The dimensions that an ellipsis stands for have negative numbers, counted from the last one (-1), so that they align
// as in broadcasting.
type Labels struct {
	In  [][]rune
	Out []rune
	Dim map[rune]int64 // size of each label, after broadcasting of 1
}

// Einsum parses the equation of n and fits it to the shapes of the inputs.
func Einsum(n *ir.Node) (*Labels, error) {
	equation := strings.ReplaceAll(n.Str("equation", ""), " ", "")
	left, right, explicit := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(n.In) {
		return nil, fmt.Errorf("equation %q has %d terms for %d inputs", equation, len(terms), len(n.In))
	}
	l := &Labels{Dim: map[rune]int64{}}
	ellipsis := 0 // the most dimensions that one stands for
	count := map[rune]int{}
	for i, term := range terms {
		if n.In[i] == nil {
			return nil, fmt.Errorf("input %d is missing", i)
		}
		shape := n.In[i].Shape
		labels, err := expandTerm(term, len(shape))
		if err != nil {
			return nil, fmt.Errorf("equation %q: input %d: %w", equation, i, err)
		}
		if len(labels) != len(shape) {
			return nil, fmt.Errorf("equation %q: input %d has rank %d", equation, i, len(shape))
		}
		for d, label := range labels {
			if label < 0 {
				ellipsis = max(ellipsis, int(-label))
			}
			count[label]++
			have, seen := l.Dim[label]
			switch {
			case !seen || have == 1:
				l.Dim[label] = shape[d]
			case shape[d] != 1 && shape[d] != have:
				return nil, fmt.Errorf("equation %q: label %s is %d and %d", equation, labelName(label), have, shape[d])
			}
		}
		l.In = append(l.In, labels)
	}
	if explicit {
		rank := len(right)
		if strings.Contains(right, "...") {
			rank += ellipsis - len("...")
		}
		var err error
		if l.Out, err = expandTerm(right, rank); err != nil {
			return nil, fmt.Errorf("equation %q: output: %w", equation, err)
		}
	} else {
		for i := ellipsis; i > 0; i-- {
			l.Out = append(l.Out, rune(-i))
		}
		var letters []rune
		for label, times := range count {
			if label > 0 && times == 1 {
				letters = append(letters, label)
			}
		}
		slices.Sort(letters)
		l.Out = append(l.Out, letters...)
	}
	for i, label := range l.Out {
		if _, ok := l.Dim[label]; !ok || slices.Contains(l.Out[:i], label) {
			return nil, fmt.Errorf("equation %q: output: label %s is repeated or in no input", equation, labelName(label))
		}
	}
	return l, nil
}

// expandTerm lists the labels of a term of the given rank.
func expandTerm(term string, rank int) ([]rune, error) {
	before, after, dots := strings.Cut(term, "...")
	labels := []rune(before)
	if dots {
		for i := rank - len(before) - len(after); i > 0; i-- {
			labels = append(labels, rune(-i))
		}
		labels = append(labels, []rune(after)...)
	}
	for _, label := range labels {
		if label >= 0 && (label > unicode.MaxASCII || !unicode.IsLetter(label)) {
			return nil, fmt.Errorf("unexpected %q", label)
		}
	}
	return labels, nil
}

func labelName(label rune) string {
	if label < 0 {
		return "..."
	}
	return string(label)
}

func einsum(c *Ctx) error {
	for i := range c.In {
		if c.In[i] != nil && c.Type(i) != c.Type(0) {
			return fmt.Errorf("inputs 0 and %d: types differ", i)
		}
	}
	l, err := Einsum(c.Node)
	if err != nil {
		return err
	}
	out := make(ir.Shape, len(l.Out))
	for i, label := range l.Out {
		out[i] = l.Dim[label]
	}
	return c.Set(0, c.Type(0), out...)
}
