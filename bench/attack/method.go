package attack

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// method is a Stage that repeats one step, which is a graph. Its state is one or more tensors with a row for each point
// [B,...]; the first is the adversarial image so far.
type method struct {
	key      string   // names the method and its parameters
	norms    []string // that it is defined for; nil for all
	classes  int64    // the smallest number of classes
	steps    int      // of one try
	moves    int      // what the paper calls the steps, 0 when these are steps
	restarts int      // tries from different starts, 0 for 1
	targeted bool     // tries towards each of the likeliest other classes; then scene.Targets is set
	plain    bool     // the first start is the image itself
	masks    bool     // steps change no result where scene.Within is false
	stops    bool     // a try is over when the second state [B,1,1,1] is 1, that is when the first one is misclassified, or is failed

	memoryless bool // a step depends on the image so far alone, as far as the classifier does

	perTry, perStep Counts // passes of one image
	// passes are those of a step where they depend on the number of classes; otherwise nil.
	passes func(classes int64) Counts

	forms  map[string]method        // the method in norms in which it is another one
	resize func(moves int) method   // nil when the number of steps is fixed
	size   func(s Settings) float64 // of a step; nil when steps differ

	// start draws the perturbation [C,H,W] to start from; nil for zeros.
	start func(dst []float32, shape []int64, stream *rng.Stream, s Settings)
	// draws is how many uniform numbers a step takes for an image of this shape; nil for none.
	draws func(shape []int64) int
	// plan makes of the uniform numbers of some steps [K,B,draws], and of their numbers t [K,B,1,1,1] counted from 0, what the steps
	// ask for: tensors [K,B,...], of which each step finds its own [B,...] in scene.Plan. It is set when draws is.
	plan func(b op.B, s scene, t, draws *ir.Value) []*ir.Value
	// init is the state of points that did not take a step yet.
	init func(b op.B, s scene) []*ir.Value
	// step is the state after step t [B,1,1,1], counted from 0. Points may be at different steps.
	step func(b op.B, s scene, t *ir.Value, state []*ir.Value) []*ir.Value
}

// targets is the number of classes that targeted attacks try, as in AutoAttack.
const targets = 9

// failed is the second state where steps to come will find nothing.
const failed = -1

// chunkSteps is the largest number of steps that one run of a graph takes; points that are done leave in between.
const chunkSteps = 20

// Key implements Stage.
func (m method) Key() string { return m.key }

// in is the form of the method in a norm.
func (m method) in(norm string) method {
	if form, ok := m.forms[norm]; ok {
		return form
	}
	return m
}

// Gradients implements Stage.
func (m method) Gradients() bool { return m.passes != nil || m.perStep.Backwards > 0 }

// Supports implements Stage.
func (m method) Supports(s Settings, classes int64) error {
	m = m.in(s.Norm)
	if len(m.norms) > 0 && !slices.Contains(m.norms, s.Norm) {
		return fmt.Errorf("%s has no form in norm %s: expected %v", m.key, s.Norm, m.norms)
	}
	if classes < m.classes {
		return fmt.Errorf("%s needs at least %d classes, found %d", m.key, m.classes, classes)
	}
	return nil
}

// tries is how often a point is attacked: for each start, towards each target.
func (m method) tries(classes int64) int { return max(m.restarts, 1) * m.ranks(classes) }

// ranks is the number of targets.
func (m method) ranks(classes int64) int {
	if !m.targeted {
		return 1
	}
	return int(min(targets, classes-1))
}

// passing is the number of passes of a step.
func (m method) passing(classes int64) Counts {
	if m.passes != nil {
		return m.passes(classes)
	}
	return m.perStep
}

// chunk divides the steps of a try evenly into runs, short ones where cycles may be found in between.
func (m method) chunk() int {
	if m.memoryless && m.steps > chunkSteps {
		for steps := cycleSteps; steps < 2*cycleSteps; steps++ {
			if m.steps%steps == 0 {
				return steps
			}
		}
		return cycleSteps
	}
	runs := (m.steps + chunkSteps - 1) / chunkSteps
	return (m.steps + runs - 1) / runs
}

// graph is a program that takes so many steps at once. When these are not all, its state is carried and the input
// "step" [B,1,1,1] tells how many steps each point took before; the state of those that took none is of no interest. Outputs:
// adversarial, and found when the method stops.
func (m method) graph(c program.Classifier, batch int, set Settings, steps int) (*program.Program, error) {
	if err := m.Supports(set, c.Classes()); err != nil {
		return nil, err
	}
	b := op.NewB("attack")
	s := scene{Classifier: c, Settings: set}
	s.Images, s.Labels = c.Open(b, batch)
	s.Start = b.Input("start", ir.Float32, s.Images.Shape...)
	if m.targeted {
		s.Targets = b.Input("targets", ir.Int64, int64(batch))
	}
	var draws *ir.Value
	if n := m.drawn(s.Images.Shape[1:]); n > 0 {
		draws = b.Input("draws", ir.Float32, int64(steps), int64(batch), int64(n))
	}
	s.Project = s.norm().ball(b, s.Images, set.Epsilon)
	state := m.init(b, s)
	t, parts := s.none(b), steps < m.steps
	if parts {
		t = b.Input("step", ir.Float32, int64(batch), 1, 1, 1)
		state = m.resume(b, t, state)
	}
	var plan []*ir.Value
	if draws != nil && b.Err() == nil {
		plan = m.plan(b, s, numbers(b, t, steps), draws)
	}
	state = m.walk(b, s, t, plan, steps, state)
	var carried []program.State
	if parts {
		for i, v := range state {
			carried = append(carried, program.State{Name: stateName(i), In: stateName(i), Out: stateName(i) + ".next"})
			b.Output(stateName(i)+".next", v)
		}
	}
	b.Output("adversarial", b.Identity(state[0]))
	if m.stops {
		b.Output("found", b.Identity(state[1]))
	}
	return program.Finish(b, carried...)
}

// numbers are those of steps from t [B,1,1,1] on: [K,B,1,1,1].
func numbers(b op.B, t *ir.Value, steps int) *ir.Value {
	ahead := make([]float64, steps)
	for i := range ahead {
		ahead[i] = float64(i)
	}
	return b.Add(b.One("Unsqueeze", nil, t, b.Ints(0)), b.Const("ahead", tensor.FromFloat64s(ir.Float32, []int64{int64(steps), 1, 1, 1, 1}, ahead)))
}

func stateName(i int) string { return fmt.Sprintf("state.%d", i) }

func (m method) drawn(shape []int64) int {
	if m.draws == nil {
		return 0
	}
	return m.draws(shape)
}

// resume declares the inputs of the carried state; points at step 0 have the fresh one.
func (m method) resume(b op.B, t *ir.Value, fresh []*ir.Value) []*ir.Value {
	if b.Err() != nil {
		return fresh
	}
	begins := b.Less(t, b.Float(t, 0.5))
	state := make([]*ir.Value, len(fresh))
	for i, v := range fresh {
		shape := slices.Repeat([]int64{1}, len(v.Shape))
		shape[0] = -1
		state[i] = b.Where(b.Reshape(begins, shape...), v, b.Input(stateName(i), v.Type, v.Shape...))
	}
	return state
}

// walk takes steps from step t on. A result that is there at the end of a try does not change in steps beyond it.
func (m method) walk(b op.B, s scene, t *ir.Value, plan []*ir.Value, steps int, state []*ir.Value) []*ir.Value {
	if b.Err() != nil {
		return state
	}
	if steps == 1 {
		b.In("attack", func() {
			for _, v := range plan {
				s.Plan = append(s.Plan, b.Squeeze(v, 0))
			}
			state = m.step(b, s, t, state)
		})
		return state
	}
	kept := 1
	if m.stops {
		kept = 2
	}
	return b.Loop("attack", int64(steps), state, func(b op.B, i *ir.Value, v []*ir.Value) []*ir.Value {
		s.Plan = nil
		for _, v := range plan {
			s.Plan = append(s.Plan, b.Gather(v, i, 0))
		}
		now := b.Add(t, b.Cast(i, ir.Float32))
		if m.steps%steps == 0 {
			return m.step(b, s, now, v)
		}
		in := b.Less(now, b.Float(now, float64(m.steps)-0.5))
		if m.masks {
			s.Within = in
			return m.step(b, s, now, v)
		}
		next := m.step(b, s, now, v)
		for i := range kept {
			next[i] = b.Where(in, next[i], v[i])
		}
		return next
	})
}

// at reads a table by step: [B,1,1,1]. Steps behind its end have its last value.
func at(b op.B, name string, table []float64, t *ir.Value) *ir.Value {
	v := b.Const(name, tensor.FromFloat64s(ir.Float32, []int64{int64(len(table))}, table))
	return b.Gather(v, b.Cast(b.Min(t, b.Float(t, float64(len(table)-1))), ir.Int64), 0)
}
