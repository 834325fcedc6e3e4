package adapt

import (
	"fmt"
	"slices"
	"strings"

	"rnas/compiler/ir"
	"rnas/compiler/program"
)

// logitsName is what the output of the logits is called where there is a choice.
const logitsName = "logits"

// candidate is an output that can be logits.
type candidate struct {
	index   int
	classes int64
	form    program.LogitForm
}

// ChooseOutput finds the output of the logits among the outputs of a graph: the one of that name; without a name the only one of the form of
// logits, else the one called "logits", else the only one with as many as there are classes (0 for unknown) that is no Softmax or Sigmoid of
// another. words says which was taken where there was a choice. Errors list the outputs.
func ChooseOutput(outputs []*ir.Value, name string, classes int) (index int, words string, err error) {
	names := func(list []candidate) string {
		var text []string
		for _, c := range list {
			text = append(text, outputs[c.index].String())
		}
		return strings.Join(text, ", ")
	}
	var all []candidate
	for i, v := range outputs {
		form, err := program.LogitFormOf(v)
		switch {
		case v.Name == name && err != nil:
			return 0, "", fmt.Errorf("--output %s: %w", name, err)
		case v.Name == name:
			return i, "", nil
		case err == nil:
			all = append(all, candidate{i, max(2, ir.Shape(v.Shape[1:]).Numel()), form})
		}
	}
	if name != "" {
		return 0, "", fmt.Errorf("--output: expected one of %s, found %q", described(outputs), name)
	}
	left := all
	for _, keep := range []func(c candidate) bool{
		func(c candidate) bool { return outputs[c.index].Name == logitsName },
		func(c candidate) bool { return c.classes == int64(classes) },
		func(c candidate) bool { return !derived(c, left, outputs) },
	} {
		if some := filter(left, keep); len(left) > 1 && len(some) > 0 {
			left = some
		}
	}
	switch {
	case len(left) == 0:
		return 0, "", fmt.Errorf("expected an output of logits [N,K], found %s", described(outputs))
	case len(left) > 1:
		return 0, "", fmt.Errorf("several outputs can be the logits: %s; --output NAME says which, and so can data of as many classes", names(left))
	case len(outputs) > 1:
		words = fmt.Sprintf("output %s is taken of %s", outputs[left[0].index].Name, described(outputs))
	}
	return left[0].index, words, nil
}

func filter(list []candidate, keep func(candidate) bool) []candidate {
	return slices.DeleteFunc(slices.Clone(list), func(c candidate) bool { return !keep(c) })
}

// derived reports whether a candidate is the Softmax, Sigmoid or LogSoftmax of another.
func derived(c candidate, among []candidate, outputs []*ir.Value) bool {
	from := c.form.From
	if n := ir.DefinedBy(from, "LogSoftmax"); n != nil {
		from = n.In[0]
	}
	return slices.ContainsFunc(among, func(o candidate) bool {
		return o.index != c.index && (outputs[o.index] == from || o.form.From == from && o.form.End == nil)
	})
}

// described lists values for an error.
func described(values []*ir.Value) string {
	var text []string
	for _, v := range values {
		text = append(text, v.String())
	}
	return strings.Join(text, ", ")
}
