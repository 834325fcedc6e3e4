package program

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// LogitForm says how logits [N,K] are made of an output of a classifier.
type LogitForm struct {
	// From has the numbers of the logits in their order: the output, or what a Softmax or Sigmoid at the end takes.
	From *ir.Value
	// End is the Softmax or Sigmoid that is left out; nil for none.
	End *ir.Node
	// Binary says that the output is one number for each image, which speaks for the second of two classes: the logits are 0 and that number,
	// whose cross-entropy is the binary cross-entropy.
	Binary bool
}

// LogitFormOf examines an output: floats [N,K], which may have further dimensions of 1, or [N]. An error names the output.
func LogitFormOf(out *ir.Value) (LogitForm, error) {
	k := rowSize(out)
	if !out.Type.IsFloat() || k < 1 || !spread(out) {
		return LogitForm{}, fmt.Errorf("expected a floating-point output of logits [N,K], found %s", out)
	}
	f := LogitForm{From: out, Binary: k == 1}
	for v := out; v.Def != nil && v.Def.Domain == "" && v.Rank() > 0 && v.Shape[0] == out.Shape[0] && rowSize(v) == k; {
		n := v.Def
		switch n.Op {
		case "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze":
		case "Cast":
			if !n.In[0].Type.IsFloat() {
				return f, nil
			}
		case "Softmax":
			axis, err := op.Axis(n.Int("axis", -1), v.Rank())
			if err == nil && axis > 0 && v.Shape[axis] == k && k > 1 {
				f.From, f.End = n.In[0], n
			}
			return f, nil
		case "Sigmoid":
			f.From, f.End = n.In[0], n
			return f, nil
		default:
			return f, nil
		}
		v = n.In[0]
	}
	return f, nil
}

// rowSize is the number of elements behind the first dimension; 0 where that is not known.
func rowSize(v *ir.Value) int64 {
	if v.Rank() == 0 || !ir.Shape(v.Shape[1:]).Static() {
		return 0
	}
	return ir.Shape(v.Shape[1:]).Numel()
}

// spread reports whether at most one dimension behind the first is not 1.
func spread(v *ir.Value) bool {
	count := 0
	for _, d := range v.Shape[1:] {
		if d != 1 {
			count++
		}
	}
	return count <= 1
}

// Words says what is done to the output; nil for logits [N,K] as they are.
func (f LogitForm) Words() []string {
	var words []string
	if f.End != nil {
		words = append(words, fmt.Sprintf("the %s at the end is left out: logits are what it takes, and losses are of those", f.End.Op))
	}
	if f.Binary {
		words = append(words, "one number for each image: a binary classifier, whose logits are 0 and that number and whose loss is the binary cross-entropy")
	}
	return words
}

// Logits appends the logits [N,K] to b.
func (f LogitForm) Logits(b op.B) *ir.Value {
	if b.Err() != nil {
		return f.From
	}
	logits := f.From
	switch {
	case logits.Rank() == 1:
		logits = b.Unsqueeze(logits, 1)
	case logits.Rank() > 2:
		logits = b.Flatten(logits)
	}
	if f.Binary {
		logits = b.Pad(logits, 0, 1, 0, 0)
	}
	return logits
}
