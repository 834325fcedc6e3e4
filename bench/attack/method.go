package attack

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/carry"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// method is a Stage that repeats one step, which is a graph. Its state is one or more tensors [B,...] with a row for each point. state[0]
// is the adversarial image so far, [B,C,H,W].
type method struct {
	key        string   // names the method and its parameters, see Stage.Key
	norms      []string // norms in which the method is defined; nil for all
	classes    int64    // the smallest number of classes
	steps      int      // steps of a try
	iterations int      // iterations as the paper counts them; 0 means steps
	restarts   int      // tries from different starts; 0 means 1
	targeted   bool     // whether a try goes towards one of the likeliest other classes; scene.Targets is set then
	plain      bool     // whether the first start is the image itself
	masks      bool     // whether a step changes no result where scene.Within is false
	earlyStop  bool     // whether a try ends when state[1] [B,1,1,1] is 1 (state[0] is misclassified) or failed

	memoryless bool // whether a step depends on the image so far alone, if the classifier draws no random numbers

	perTry, perStep Counts // passes of one image
	// passes are the passes of a step where they depend on the number of classes; nil where they are perStep.
	passes func(classes int64) Counts

	variants map[string]method           // by norm: the method that stands in for this one
	resize   func(iterations int) method // the method with another number of iterations; nil where it is fixed
	size     func(s Settings) float64    // size of a step; nil where steps differ

	// start draws the perturbation [C,H,W] to start from; nil for zeros.
	start func(dst []float32, shape []int64, stream *rng.Stream, s Settings)
	// draws is the number of uniform numbers that a step takes for an image of the shape [C,H,W]; nil for none.
	draws func(shape []int64) int
	// propose turns the uniform numbers of K steps [K,B,draws] into the proposals of these steps: tensors [K,B,...], of which each
	// step finds its own [B,...] in scene.Proposal. t [K,B,1,1,1] are the numbers of the steps, counted from 0. It is set when draws is.
	propose func(b op.B, s scene, t, draws *ir.Value) []*ir.Value
	// init is the state before the first step.
	init func(b op.B, s scene) []*ir.Value
	// step is the state after step t [B,1,1,1], counted from 0. Points may be at different steps.
	step func(b op.B, s scene, t *ir.Value, state []*ir.Value) []*ir.Value
}

// targets is the largest number of classes that targeted attacks try, as in the code of AutoAttack.
const targets = 9

// failed is the value of state[1] where no step to come finds anything.
const failed = -1

// chunkSteps is the largest number of steps that one run of a graph takes. Between runs, points that are done leave.
const chunkSteps = 20

// Key implements Stage.
func (m method) Key() string { return m.key }

// in is the method, or its variant in the norm.
func (m method) in(norm string) method {
	if variant, ok := m.variants[norm]; ok {
		return variant
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

// tries is the number of tries on a point: one for each start and target.
func (m method) tries(classes int64) int { return max(m.restarts, 1) * m.ranks(classes) }

// ranks is the number of targets of a start; 1 for untargeted methods.
func (m method) ranks(classes int64) int {
	if !m.targeted {
		return 1
	}
	return int(min(targets, classes-1))
}

// passing is the number of passes of one image in a step.
func (m method) passing(classes int64) Counts {
	if m.passes != nil {
		return m.passes(classes)
	}
	return m.perStep
}

// chunk is the number of steps of one run of a graph. It divides the steps of a try evenly into runs of at most chunkSteps. A memoryless
// method has runs of about cycleSteps, because cycles are looked for between runs.
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

// graph is a program that takes the given number of steps at once. Inputs: images [B,C,H,W], labels int64 [B], start [B,C,H,W], targets
// int64 [B] of a targeted method, and draws [steps,B,draws] of a method with draws. If the steps are not all of a try, the state is
// carried, and the input step [B,1,1,1] is the number of steps that each point took before; the carried state is ignored where it is 0.
// Outputs: adversarial [B,C,H,W], and found [B,1,1,1], state[1], of a method with early stop.
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
	var proposals []*ir.Value
	if draws != nil && b.Err() == nil {
		proposals = m.propose(b, s, numbers(b, t, steps), draws)
	}
	state = m.walk(b, s, t, proposals, steps, state)
	var carried []carry.Binding
	if parts {
		for i, v := range state {
			carried = append(carried, carry.Binding{State: stateName(i), In: stateName(i), Out: stateName(i) + ".next"})
			b.Output(stateName(i)+".next", v)
		}
	}
	b.Output("adversarial", b.Identity(state[0]))
	if m.earlyStop {
		b.Output("found", b.Identity(state[1]))
	}
	return program.Finish(b, carried...)
}

// numbers are the numbers of K = steps steps from step t [B,1,1,1] on: [K,B,1,1,1].
func numbers(b op.B, t *ir.Value, steps int) *ir.Value {
	ahead := make([]float64, steps)
	for i := range ahead {
		ahead[i] = float64(i)
	}
	return b.Add(b.One("Unsqueeze", nil, t, b.Ints(0)), b.Const("ahead", tensor.FromFloat64s(ir.Float32, []int64{int64(steps), 1, 1, 1, 1}, ahead)))
}

// stateName is the name of state[i] as a carried input.
func stateName(i int) string { return fmt.Sprintf("state.%d", i) }

// drawn is the number of uniform numbers that a step takes for an image of the shape [C,H,W]; 0 for none.
func (m method) drawn(shape []int64) int {
	if m.draws == nil {
		return 0
	}
	return m.draws(shape)
}

// resume declares the inputs of the carried state. Points at step 0 have the fresh state instead.
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

// walk takes steps from step t [B,1,1,1] on. Steps beyond the end of a try change neither the image nor whether it is misclassified.
// proposals are [K,B,...], one tensor for each of scene.Proposal.
func (m method) walk(b op.B, s scene, t *ir.Value, proposals []*ir.Value, steps int, state []*ir.Value) []*ir.Value {
	if b.Err() != nil {
		return state
	}
	if steps == 1 {
		b.In("attack", func() {
			for _, v := range proposals {
				s.Proposal = append(s.Proposal, b.Squeeze(v, 0))
			}
			state = m.step(b, s, t, state)
		})
		return state
	}
	kept := 1
	if m.earlyStop {
		kept = 2
	}
	return b.Loop("attack", int64(steps), state, func(b op.B, i *ir.Value, v []*ir.Value) []*ir.Value {
		s.Proposal = nil
		for _, v := range proposals {
			s.Proposal = append(s.Proposal, b.Gather(v, i, 0))
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

// at is the entry of a table at step t [B,1,1,1]: [B,1,1,1]. Steps behind the end of the table have its last entry.
func at(b op.B, name string, table []float64, t *ir.Value) *ir.Value {
	v := b.Const(name, tensor.FromFloat64s(ir.Float32, []int64{int64(len(table))}, table))
	return b.Gather(v, b.Cast(b.Min(t, b.Float(t, float64(len(table)-1))), ir.Int64), 0)
}
