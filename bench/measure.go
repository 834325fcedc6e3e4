package bench

import (
	"context"
	"fmt"
	"maps"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/internal/dataset"
	"rnas/internal/fault"
)

// modelPoints is the predictions of a model by point.
type modelPoints struct {
	path    string           // label of the model
	data    *dataset.Dataset // with labels that are places in the logits of the model
	clean   map[int]int      // predictions on the images as they are
	attacks []map[int]int    // by attack: predictions on the adversarial images of the attacked points
	gallery *report.Gallery  // of the strongest attack; nil without attacks
}

// measure measures one model: everything that the options ask for.
func (j *job) measure(ctx context.Context, path string) (report.Model, modelPoints, error) {
	result := report.Model{Path: path, Dataset: j.data.Name, Points: j.data.Len(), Attacks: []report.Attack{}}
	points := modelPoints{path: path}
	m, err := openModel(path, j.data, j.Batch, j.Model, j.Runtime)
	if err != nil {
		return result, points, err
	}
	defer m.Close()
	fitted := *j
	fitted.data, fitted.digest = m.data, m.data.Digest()
	j = &fitted
	s := j.subject(m)
	points.data = m.data
	if m.note != "" {
		result.Notes = append(result.Notes, m.note)
	}
	result.SHA256, result.Adapter = m.sha256, m.words
	all := make([]int, j.data.Len())
	for i := range all {
		all[i] = i
	}
	clean, err := s.do(ctx, task{name: attack.Clean, open: func(int) (worker, error) { return plain{s}, nil }}, all)
	if err != nil {
		return result, points, err
	}
	points.clean = clean.values
	right := s.surviving(all, clean.values)
	result.Clean = report.NewClean(len(right), len(all))
	if result.Doubts, err = s.doubts(ctx, clean.values, all); err != nil {
		return result, points, err
	}
	var flags []report.Flag
	if len(j.Attacks) > 0 {
		if err := s.differentiable(); err != nil {
			return result, points, err
		}
		if flags, err = s.suspicions(ctx, clean, all, right); err != nil {
			return result, points, err
		}
	}
	worst := right
	s.shown = s.exhibits(right)
	var images []map[int]shown
	for _, a := range j.Attacks {
		r, predictions, pictures, err := s.attack(ctx, a, right)
		if err != nil {
			return result, points, fmt.Errorf("attack %s: %w", a.Name, err)
		}
		images = append(images, pictures)
		r.Flags = append(append([]report.Flag{}, flags...), r.Flags...)
		result.Attacks = append(result.Attacks, r)
		points.attacks = append(points.attacks, predictions)
		worst = s.surviving(worst, predictions)
	}
	s.contradictions(result.Attacks, points)
	result.WorstCase = report.NewRobust(len(worst), len(all))
	result.Confusion = points.confusion(s.job.data)
	if len(j.Attacks) > 0 {
		i := result.Strongest()
		if points.gallery, err = s.gallery(j.Attacks[i].Name, images[i], points.attacks[i]); err != nil {
			return result, points, err
		}
	}
	return result, points, s.extras(ctx, &result, right, points)
}

// extras measures what the options ask for beside accuracy without attack and under attack.
func (s *subject) extras(ctx context.Context, result *report.Model, right []int, points modelPoints) (err error) {
	if result.Corruptions, err = s.corruptions(ctx); err != nil {
		return fmt.Errorf("corruptions: %w", err)
	}
	if s.job.Curves {
		if result.Curves, err = s.curves(ctx, right, points); err != nil {
			return fmt.Errorf("curves: %w", err)
		}
	}
	if s.job.Latency {
		if result.Latency, err = s.latency(ctx); err != nil {
			return fmt.Errorf("latency: %w", err)
		}
	}
	if s.job.Profile {
		if result.Profiles, err = s.profile(ctx); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	return nil
}

// surviving lists those of points that are predicted rightly.
func (s *subject) surviving(points []int, predictions map[int]int) []int {
	var left []int
	for _, p := range points {
		if predictions[p] == int(s.job.data.Labels[p]) {
			left = append(left, p)
		}
	}
	return left
}

// parted is the name of a part of an attack with several parts, "" for an attack with one.
func parted(a attack.Attack, p attack.Part) string {
	if len(a.Parts) == 1 {
		return ""
	}
	return p.Name
}

// attackTasks is an attack as tasks, one for each stage.
type attackTasks struct {
	tasks []task
	parts []string    // by task: the name of the part that the stage is of
	keys  []string    // by task: see subject.key
	keep  *imageStore // where the tasks keep their images; nil for nowhere
}

// key is a digest of everything that the images depend on.
func (p *attackTasks) key() string { return digest(p.keys) }

// attackTasks makes the tasks of an attack. Errors: a stage that does not support the settings or the number of classes.
func (s *subject) attackTasks(a attack.Attack) (*attackTasks, error) {
	p := &attackTasks{}
	archive := "" // a record that vouches for images there is of no use for others
	if s.job.Images {
		archive = archiveName(s.model.path, a.Name)
	}
	for _, part := range a.Parts {
		for _, st := range part.Stages {
			if err := st.Supports(s.job.Settings, int64(s.model.classes)); err != nil {
				return nil, fault.Input(err)
			}
			open := func(points int) (worker, error) { return s.openStage(st, points, p.keep) }
			t := task{name: a.Name, part: parted(a, part), key: []any{len(p.tasks), st.Key(), s.job.Settings, archive}, open: open}
			p.tasks, p.keys, p.parts = append(p.tasks, t), append(p.keys, s.key(t)), append(p.parts, part.Name)
		}
	}
	return p, nil
}

// attack runs the stages of an attack, each on the points that survived the stages before it. It returns the predictions by point, and the
// images of the points in subject.shown.
func (s *subject) attack(ctx context.Context, a attack.Attack, points []int) (report.Attack, map[int]int, map[int]shown, error) {
	r := report.Attack{Name: a.Name, Norm: s.job.Settings.Norm, Eps: s.job.Settings.Epsilon}
	predictions, images := map[int]int{}, map[int]shown{}
	work, err := s.attackTasks(a)
	if err != nil {
		return r, nil, nil, err
	}
	if s.job.Images {
		work.keep = openImages(s.job.Dir, archiveName(s.model.path, a.Name), work.key(), s.job.data)
		defer work.keep.Close()
		if work.keep.fresh {
			if err := s.job.progress.void(work.keys); err != nil {
				return r, nil, nil, err
			}
		}
	}
	tasks, parts, keep := work.tasks, work.parts, work.keep
	left, invalid := points, 0
	for i, t := range tasks {
		out, err := s.do(ctx, t, left)
		if err != nil {
			return r, nil, nil, err
		}
		for p, v := range out.values {
			predictions[p] = v
		}
		maps.Copy(images, out.shown)
		left = s.surviving(left, predictions)
		r.Forwards += out.Forwards
		r.Backwards += out.Backwards
		r.Seconds += out.seconds
		invalid += len(out.flagged)
		if len(a.Parts) > 1 && (i+1 == len(tasks) || parts[i+1] != parts[i]) {
			r.Parts = append(r.Parts, report.Part{Name: parts[i], Robust: report.NewRobust(len(left), s.job.data.Len())})
		}
	}
	r.Robust = report.NewRobust(len(left), s.job.data.Len())
	if invalid > 0 {
		r.Flags = append(r.Flags, report.NewFlag(report.FlagInvalid, "%d adversarial images outside the ball, outside [0,1] or not a number; counted as survived", invalid))
	}
	if n := count(predictions, points, noClass); n > 0 {
		r.Flags = append(r.Flags, report.NewFlag(report.FlagNaN, "logits of %d of %d adversarial images are not numbers", n, len(points)))
	}
	return r, predictions, images, keep.pack(points, s.job.data, predictions)
}

// count is the number of points with the value want.
func count(values map[int]int, points []int, want int) int {
	n := 0
	for _, p := range points {
		if v, ok := values[p]; ok && v == want {
			n++
		}
	}
	return n
}
