package bench

import (
	"fmt"
	"slices"
	"strings"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/internal/dataset"
)

// Protocol is a published way to evaluate: attacks, norm, radius and data are fixed.
type Protocol struct {
	Name, About string // About is one line with the source
	Norm        string
	Epsilon     float64  // radius: pixels in [0,1] for linf, the whole image for l2
	Radius      string   // Epsilon for people
	Attacks     []string // names for attack.Parse
	data        []string // sources of the data, as --data names them
	points      int      // number of test images
}

// protocols has one row for each protocol, in the order of the documentation.
var protocols = []Protocol{
	{
		Name: "robustbench-linf", About: "AutoAttack in the maximum norm on all test images of CIFAR-10 or CIFAR-100 (RobustBench, Croce et al. 2021, section 3)",
		Norm: "linf", Epsilon: 8. / 255, Radius: "8/255", Attacks: []string{"autoattack"}, data: []string{"cifar10", "cifar100"}, points: 10_000,
	},
	{
		Name: "robustbench-l2", About: "AutoAttack in the Euclidean norm on all test images of CIFAR-10 (RobustBench, Croce et al. 2021, section 3)",
		Norm: "l2", Epsilon: 0.5, Radius: "0.5", Attacks: []string{"autoattack"}, data: []string{"cifar10"}, points: 10_000,
	},
	{
		Name: "nas-linf", About: "FGSM, PGD-20, PGD-100, CW in the maximum norm and AutoAttack on all test images, as papers on robust architectures report",
		Norm: "linf", Epsilon: 8. / 255, Radius: "8/255", Attacks: []string{"fgsm", "pgd20", "pgd100", "cw", "autoattack"}, data: []string{"cifar10", "cifar100"}, points: 10_000,
	},
}

// Protocols lists the protocols in the order of the documentation.
func Protocols() []Protocol { return slices.Clone(protocols) }

// ProtocolNamed finds a protocol; the error lists the names.
func ProtocolNamed(name string) (Protocol, error) {
	var names []string
	for _, p := range protocols {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Protocol{}, fmt.Errorf("expected %s, found %q", strings.Join(names, ", "), name)
}

// Apply sets what the protocol fixes. The error is about an attack that attack.Parse does not know.
func (p Protocol) Apply(o *Options) error {
	attacks, err := attack.Parse(strings.Join(p.Attacks, ","))
	if err != nil {
		return err
	}
	o.Attacks, o.Protocol = attacks, &p
	o.Settings.Norm, o.Settings.Epsilon, o.Settings.StepSize = p.Norm, p.Epsilon, 0
	return nil
}

// report is the protocol with the ways in which a benchmark deviates from it.
func (p Protocol) report(o Options, data *dataset.Dataset) *report.Protocol {
	r := &report.Protocol{Name: p.Name, About: p.About, Norm: p.Norm, Eps: p.Epsilon, Attacks: p.Attacks, Points: p.points, Deviations: []string{}}
	add := func(format string, values ...any) {
		r.Deviations = append(r.Deviations, fmt.Sprintf(format, values...))
	}
	if source, _, _ := strings.Cut(data.Name, ":"); !slices.Contains(p.data, source) {
		add("images of %s instead of the official files of %s", data.Name, strings.Join(p.data, " or "))
	}
	if data.Len() != p.points {
		add("%d images instead of %d", data.Len(), p.points)
	}
	if names := attack.Names(o.Attacks); !slices.Equal(names, p.Attacks) {
		add("attacks %s instead of %s", strings.Join(names, ","), strings.Join(p.Attacks, ","))
	}
	if s := o.Settings; s.Norm != p.Norm || s.Epsilon != p.Epsilon || s.StepSize != 0 {
		add("norm %s, eps %.4g and step size %.4g (0: that of each attack) instead of %s, %.4g and 0", s.Norm, s.Epsilon, s.StepSize, p.Norm, p.Epsilon)
	}
	return r
}
