package bench

import (
	"slices"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/internal/dataset"
)

// worstCase is the name of the outcome under all attacks together.
const worstCase = "worst_case"

// after is the prediction of each point after an attack: the one on the adversarial image of an attacked point, the clean one of others.
func (m modelPoints) after(predictions map[int]int, points int) []int {
	all := make([]int, points)
	for p := range all {
		all[p] = m.clean[p]
		if v, attacked := predictions[p]; attacked {
			all[p] = v
		}
	}
	return all
}

// worst is the prediction of each point after the first attack that breaks it.
func (m modelPoints) worst(labels []int32) []int {
	all := m.after(nil, len(labels))
	for _, predictions := range m.attacks {
		for p, v := range m.after(predictions, len(labels)) {
			if all[p] == int(labels[p]) {
				all[p] = v
			}
		}
	}
	return all
}

// confusion counts predictions by class; nil for more classes than report.MaxConfusion.
func (m modelPoints) confusion(d *dataset.Dataset) *report.Confusion {
	k := len(d.Classes)
	if k > report.MaxConfusion {
		return nil
	}
	return &report.Confusion{
		Classes: d.Classes,
		Clean:   report.Matrix(k, d.Labels, m.after(nil, d.Len())),
		Worst:   report.Matrix(k, d.Labels, m.worst(d.Labels)),
	}
}

// compare tests every pair of models on the clean images, under each attack and in the worst case.
func compare(attacks []attack.Attack, d *dataset.Dataset, models []modelPoints) []report.Comparison {
	names := slices.Concat([]string{attack.Clean}, attack.Names(attacks), []string{worstCase})
	right := make([][][]bool, len(models)) // by model, name, point
	for i, m := range models {
		for k := range names {
			predictions := m.after(nil, d.Len())
			switch {
			case k > len(attacks):
				predictions = m.worst(m.data.Labels)
			case k > 0:
				predictions = m.after(m.attacks[k-1], d.Len())
			}
			ok := make([]bool, d.Len())
			for p, v := range predictions {
				ok[p] = v == int(m.data.Labels[p])
			}
			right[i] = append(right[i], ok)
		}
	}
	var all []report.Comparison
	for i := range models {
		for j := i + 1; j < len(models); j++ {
			for k, name := range names {
				c := report.Compare(right[i][k], right[j][k])
				c.First, c.Second, c.Attack = models[i].path, models[j].path, name
				all = append(all, c)
			}
		}
	}
	return all
}
