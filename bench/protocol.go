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
	Name, About string
	Norm        string
	Epsilon     float64 // pixels in [0,1] for linf, the whole image for l2
	Radius      string  // Epsilon for people
	Attacks     string  // a list for attack.Parse
	data        []string
	points      int
}

// Protocols lists the protocols in the order of the documentation.
func Protocols() []Protocol {
	cifar := []string{"cifar10", "cifar100"}
	return []Protocol{
		{
			"robustbench-linf", "AutoAttack in the maximum norm on all test images of CIFAR-10 or CIFAR-100 (RobustBench, Croce et al. 2021, section 3)",
			"linf", 8. / 255, "8/255", "autoattack", cifar, 10_000,
		},
		{
			"robustbench-l2", "AutoAttack in the Euclidean norm on all test images of CIFAR-10 (RobustBench, Croce et al. 2021, section 3)",
			"l2", 0.5, "0.5", "autoattack", cifar[:1], 10_000,
		},
		{
			"nas-linf", "FGSM, PGD-20, PGD-100, CW in the maximum norm and AutoAttack on all test images, as papers on robust architectures report",
			"linf", 8. / 255, "8/255", "fgsm,pgd20,pgd100,cw,autoattack", cifar, 10_000,
		},
	}
}

// ProtocolNamed finds a protocol; the error lists the names.
func ProtocolNamed(name string) (Protocol, error) {
	var names []string
	for _, p := range Protocols() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Protocol{}, fmt.Errorf("expected %s, found %q", strings.Join(names, ", "), name)
}

// Apply sets what the protocol fixes. The error is about an attack that attack.Parse does not know.
func (p Protocol) Apply(o *Options) error {
	attacks, err := attack.Parse(p.Attacks)
	if err != nil {
		return err
	}
	o.Attacks, o.Protocol = attacks, &p
	o.Settings.Norm, o.Settings.Epsilon, o.Settings.StepSize = p.Norm, p.Epsilon, 0
	return nil
}

// report tells what the protocol says and in what a benchmark differs.
func (p Protocol) report(o Options, data *dataset.Dataset) *report.Protocol {
	r := &report.Protocol{Name: p.Name, About: p.About, Norm: p.Norm, Eps: p.Epsilon, Attacks: strings.Split(p.Attacks, ","), Points: p.points, Deviations: []string{}}
	add := func(format string, values ...any) {
		r.Deviations = append(r.Deviations, fmt.Sprintf(format, values...))
	}
	if source, _, _ := strings.Cut(data.Name, ":"); !slices.Contains(p.data, source) {
		add("images of %s instead of the official files of %s", data.Name, strings.Join(p.data, " or "))
	}
	if data.Len() != p.points {
		add("%d images instead of %d", data.Len(), p.points)
	}
	var names []string
	for _, a := range o.Attacks {
		names = append(names, a.Name)
	}
	if !slices.Equal(names, r.Attacks) {
		add("attacks %s instead of %s", strings.Join(names, ","), p.Attacks)
	}
	if s := o.Settings; s.Norm != p.Norm || s.Epsilon != p.Epsilon || s.StepSize != 0 {
		add("norm %s, eps %.4g and step size %.4g (0: that of each attack) instead of %s, %.4g and 0", s.Norm, s.Epsilon, s.StepSize, p.Norm, p.Epsilon)
	}
	return r
}
