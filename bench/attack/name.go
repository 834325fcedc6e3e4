package attack

import (
	"fmt"
	"slices"
	"strings"
)

// Attack is a named sequence of parts; a point is robust when it survives the stages of all of them.
type Attack struct {
	Name  string
	Parts []Part
}

// Part is a named share of an attack. The report tells how many points are left after each part.
type Part struct {
	Name   string
	Stages []Stage
}

// Stages lists the stages of all parts.
func (a Attack) Stages() []Stage {
	var all []Stage
	for _, p := range a.Parts {
		all = append(all, p.Stages...)
	}
	return all
}

// Gradients tells whether a stage of the part takes gradients of the classifier.
func (p Part) Gradients() bool { return slices.ContainsFunc(p.Stages, Stage.Gradients) }

// method is the only stage of an attack, if that is a method.
func (a Attack) method() (m method, ok bool) {
	if stages := a.Stages(); len(stages) == 1 {
		m, ok = stages[0].(method)
	}
	return m, ok
}

// FewerSteps reports whether a try of b begins with all the steps of a try of a, so that b is at least as strong. That is so where both
// are one method which differs in the number of steps, and a step depends on the image so far alone.
func (a Attack) FewerSteps(b Attack) bool {
	m, ok := a.method()
	n, both := b.method()
	return ok && both && m.memoryless && m.resize != nil && m.steps < n.steps && m.resize(n.steps).key == n.key
}

// Names lists the names of attacks.
func Names(attacks []Attack) []string {
	var all []string
	for _, a := range attacks {
		all = append(all, a.Name)
	}
	return all
}

// single is an attack of one part.
func single(name string, stages ...Stage) Attack { return Attack{name, []Part{{name, stages}}} }

// Clean is the name in a list of attacks that stands for no attack.
const Clean = "clean"

// family is the row of attacks whose names differ in numbers only.
type family struct {
	name  string                           // K and R stand for numbers
	about string                           // one line, with the source
	parse func(name string) (Attack, bool) // whether the name is of the family, and its attack
}

// fixed is the family of one name.
func fixed(name, about string, parts ...Part) family {
	return family{name, about, func(n string) (Attack, bool) { return Attack{name, parts}, n == name }}
}

// families has one row for each attack, in the order of the documentation.
var families = slices.Concat(pgdFamilies, apgdFamilies, fabFamilies, squareFamilies, deepfoolFamilies, carliniFamilies, autoAttackFamilies)

// Parse reads a list of names such as "clean,fgsm,pgd20". The name "clean" gives no attack, for the benchmark always measures it.
// Errors: an empty list, an unknown name, a name given twice.
func Parse(list string) ([]Attack, error) {
	var attacks []Attack
	seen := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if seen[name] {
			return nil, fmt.Errorf("attacks %q: %s is there twice", list, name)
		}
		seen[name] = true
		if name == Clean {
			continue
		}
		i, a := find(name)
		if i < 0 {
			return nil, fmt.Errorf("attacks %q: expected %s, found %q", list, strings.Join(names(), ", "), name)
		}
		attacks = append(attacks, a)
	}
	return attacks, nil
}

// find is the index of the family that a name belongs to, and the attack of that name; -1 for an unknown name.
func find(name string) (int, Attack) {
	for i, f := range families {
		if a, ok := f.parse(name); ok {
			return i, a
		}
	}
	return -1, Attack{}
}

// Family is a row of the names that Parse knows. In Name the letters K and R stand for numbers.
type Family struct{ Name, About string }

// Families lists the names that Parse knows, in the order of the documentation.
func Families() []Family {
	list := []Family{{Clean, "accuracy without attack, which is always measured"}}
	for _, f := range families {
		list = append(list, Family{f.name, f.about})
	}
	return list
}

// names lists the names of all families.
func names() []string {
	var all []string
	for _, f := range Families() {
		all = append(all, f.Name)
	}
	return all
}
