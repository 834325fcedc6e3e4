package bench

import (
	"context"

	"rnas/bench/attack"
	"rnas/bench/report"
)

// The attacks of the curves, as multiples of eps and as numbers of steps.
var (
	curveRadii = []float64{0, 0.25, 0.5, 1, 2, 4}
	curveSteps = []int{1, 2, 5, 10, 20, 50, 100}
)

const (
	curveBase = 20 // steps of the curve against eps
	// curveLevel is the p-value of McNemar's test below which a rise is not noise. It is small because each of the several points of a
	// curve is tested.
	curveLevel = 0.01
)

// curves measures the accuracy against eps and against steps on the points that are classified rightly. Both must fall. A rise is flagged,
// for it is a sign of a masked gradient (Athalye et al. 2018, section 3.1).
func (s *subject) curves(ctx context.Context, right []int, points modelPoints) ([]report.Curve, error) {
	measured := map[string]map[int]int{}
	for i, predictions := range points.attacks {
		measured[s.job.Attacks[i].Name] = predictions
	}
	radii := curve{subject: s, kind: report.FlagEps, measured: measured, of: report.Curve{Attack: attack.PGD(curveBase).Name, Over: "eps", Flags: []report.Flag{}}}
	for _, times := range curveRadii {
		settings := s.job.Settings
		settings.Epsilon *= times
		settings.StepSize *= times
		n := len(radii.of.Points)
		if settings.Validate() != nil || n > 0 && radii.of.Points[n-1].Eps == settings.Epsilon {
			continue
		}
		if err := radii.add(ctx, settings, curveBase, right); err != nil {
			return nil, err
		}
	}
	radii.falls()
	radii.ends()
	steps := curve{subject: s, kind: report.FlagSteps, measured: measured, of: report.Curve{Attack: "pgdK", Over: "steps", Flags: []report.Flag{}}}
	for _, k := range curveSteps {
		if err := steps.add(ctx, s.job.Settings, k, right); err != nil {
			return nil, err
		}
	}
	steps.falls()
	return []report.Curve{radii.of, steps.of}, nil
}

// curve is a curve that is being measured.
type curve struct {
	*subject
	kind     report.FlagKind        // kind of the flag where the accuracy does not fall
	measured map[string]map[int]int // by attack and point: predictions under the settings of the job
	of       report.Curve
	robust   [][]bool // by point of the curve and of the data: whether the model is right
}

// add adds the point of PGD with the given settings and steps. An attack that is measured already is not run again.
func (c *curve) add(ctx context.Context, settings attack.Settings, steps int, right []int) error {
	left := right
	if settings.Epsilon > 0 {
		predictions, err := c.predictions(ctx, settings, steps, right)
		if err != nil {
			return err
		}
		left = c.surviving(right, predictions)
	}
	robust := make([]bool, c.job.data.Len())
	for _, p := range left {
		robust[p] = true
	}
	c.robust = append(c.robust, robust)
	c.of.Points = append(c.of.Points, report.CurvePoint{Eps: settings.Epsilon, Steps: steps, Robust: report.NewRobust(len(left), c.job.data.Len())})
	return nil
}

// predictions are the predictions by point on the adversarial images of PGD.
func (c *curve) predictions(ctx context.Context, settings attack.Settings, steps int, right []int) (map[int]int, error) {
	pgd := attack.PGD(steps)
	if known, ok := c.measured[pgd.Name]; ok && settings == c.job.Settings {
		return known, nil
	}
	other, j := *c.subject, *c.job
	j.Settings, j.Images = settings, false
	other.job = &j
	if settings != c.job.Settings {
		other.shown = nil
	}
	_, predictions, _, err := other.attack(ctx, pgd, right)
	return predictions, err
}

// falls flags the first point of the curve with more points right than at a weaker attack before it, by more than noise.
func (c *curve) falls() {
	least := 0 // the attack that leaves the fewest
	for i, p := range c.of.Points {
		q := c.of.Points[least]
		if t := report.Compare(c.robust[least], c.robust[i]); t.SecondOnly > t.FirstOnly && t.P < curveLevel {
			c.of.Flags = append(c.of.Flags, report.NewFlag(c.kind, "accuracy rises from %.1f%% at %s to %.1f%% at %s (p = %.2g)",
				100*q.RobustAccuracy, c.of.Place(least), 100*p.RobustAccuracy, c.of.Place(i), t.P))
			return
		}
		if p.Robust.Robust < q.Robust.Robust {
			least = i
		}
	}
}

// ends flags an accuracy at the largest radius whose 95% interval is above the accuracy of always naming the most frequent class. No
// classifier keeps more than that at a radius at which the attack can erase the image. 4 times the usual radius of a data set comes close to
// that. Where eps is small for the data, the flag may be a false alarm.
func (c *curve) ends() {
	counts := make([]int, len(c.job.data.Classes))
	most := 0
	for _, label := range c.job.data.Labels {
		counts[label]++
		most = max(most, counts[label])
	}
	guess := float64(most) / float64(c.job.data.Len())
	i := len(c.of.Points) - 1
	if p := c.of.Points[i]; p.Eps > c.job.Settings.Epsilon && p.CI95[0] > guess {
		c.of.Flags = append(c.of.Flags, report.NewFlag(c.kind, "accuracy %.1f%% at %s is above the %.1f%% of guessing", 100*p.RobustAccuracy, c.of.Place(i), 100*guess))
	}
}
