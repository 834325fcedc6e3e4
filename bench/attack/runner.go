package attack

import (
	"cmp"
	"context"
	"slices"

	"rnas/compiler/ir"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
)

// Compile implements Stage.
func (m method) Compile(t Setup) (Runner, error) {
	m = m.in(t.Norm)
	e, err := m.launch(t)
	if err != nil {
		return nil, err
	}
	return &runner{method: m, setup: t, engine: e}, nil
}

// engine is a running session of a method's graph, with the state that it carries.
type engine struct {
	*runtime.Running
	state  *ort.Store
	batch  int
	steps  int    // steps of a run
	tries  int    // tries on a point
	ranks  int    // targets of a start
	passes Counts // passes of one image in a step
	cycles bool   // whether whole cycles of steps may be left out
}

// launch opens an engine for the batch of the setup.
func (m method) launch(t Setup) (*engine, error) {
	c, err := t.Classifier(t.Batch)
	if err != nil {
		return nil, err
	}
	e := &engine{state: ort.NewStore(), batch: t.Batch, steps: m.chunk(), tries: m.tries(c.Classes()), ranks: m.ranks(c.Classes()), passes: m.passing(c.Classes())}
	e.cycles = e.steps < m.steps && m.repeats(c.Graph)
	p, err := m.graph(c, e.batch, t.Settings, e.steps)
	for i := 0; err == nil && i < len(p.State); i++ {
		in := p.Graph.Input(p.State[i].In)
		err = e.state.Add(p.State[i].State, tensor.Zeros(in.Type, in.Shape...))
	}
	if err == nil {
		e.Running, err = runtime.Launch(p, e.state, t.Runtime)
	}
	if err != nil {
		e.state.Close()
		return nil, err
	}
	return e, nil
}

// Close ends the session and frees the state.
func (e *engine) Close() error {
	err := e.Running.Close()
	return cmp.Or(err, e.state.Close())
}

// tensors are the carried state and the inputs by name, all of which have a row for each point.
func (e *engine) tensors() map[string]*tensor.Tensor {
	all := map[string]*tensor.Tensor{}
	for _, name := range e.state.Names() {
		all[name] = e.state.Get(name)
	}
	for _, name := range []string{"images", "labels", "start", "targets"} {
		if t := e.Input(name); t != nil {
			all[name] = t
		}
	}
	return all
}

// runner keeps the rows of an engine busy. A row whose point is done gets the next point. When no points are left, the busy rows move to
// an engine of half the size, a quarter, and so on.
type runner struct {
	method
	setup  Setup
	engine *engine
	rows   []row
}

// row is the place of one point in the batch.
type row struct {
	Point
	busy   bool
	steps  int       // steps of this try that are done
	counts Counts    // passes since the last Attempt with Over
	logits []float32 // logits [K] of the image, of targeted methods
	trail  trail     // iterates of this try, where the engine looks for cycles
}

// Run implements Runner.
func (r *runner) Run(ctx context.Context, w Work) error {
	r.rows = make([]row, r.engine.batch)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.fill(w); err != nil {
			return err
		}
		busy := r.busy()
		if len(busy) == 0 {
			return nil
		}
		size := r.engine.batch
		for !r.setup.Fixed && size/2 >= max(len(busy), smallest) {
			size /= 2
		}
		if size < r.engine.batch {
			if err := r.shrink(busy, size); err != nil {
				return err
			}
			busy = r.busy()
		}
		if err := r.advance(w, busy); err != nil {
			return err
		}
	}
}

// smallest is the smallest batch that rows move to.
const smallest = 4

// busy lists the rows that are at work.
func (r *runner) busy() []int {
	var busy []int
	for i := range r.rows {
		if r.rows[i].busy {
			busy = append(busy, i)
		}
	}
	return busy
}

// fill gives new points to the rows that are free.
func (r *runner) fill(w Work) error {
	var free []int
	for i := range r.rows {
		if !r.rows[i].busy {
			free = append(free, i)
		}
	}
	if len(free) == 0 {
		return nil
	}
	points := w.Next(len(free))
	if len(points) == 0 {
		return nil
	}
	var logits [][]float32
	if r.targeted {
		var err error
		if logits, err = w.Logits(points); err != nil {
			return err
		}
	}
	for i, p := range points {
		r.rows[free[i]] = row{Point: p, busy: true}
		if r.targeted {
			r.rows[free[i]].logits = logits[i]
			if p.Tries == 0 { // a point with tries has a record that counts this pass
				r.rows[free[i]].counts.Forwards++
			}
		}
		part(r.engine.Input("images"), free[i], p.Image)
		part(r.engine.Input("labels"), free[i], []int64{p.Label})
		r.begin(free[i])
	}
	return nil
}

// part writes the values of one row of a tensor.
func part[T float32 | int64](t *tensor.Tensor, row int, values []T) {
	copy(t.Data.([]T)[row*len(values):], values)
}

// begin prepares the next try of a row: its target and its start.
func (r *runner) begin(i int) {
	p := &r.rows[i]
	p.steps, p.trail = 0, nil
	p.counts.Forwards += r.perTry.Forwards
	p.counts.Backwards += r.perTry.Backwards
	restart, rank := p.Tries/r.engine.ranks, p.Tries%r.engine.ranks
	if r.targeted {
		rank++
		part(r.engine.Input("targets"), i, []int64{ranked(p.logits, rank)})
	}
	if r.start != nil {
		start, n := r.engine.Input("start"), len(p.Image)
		values := start.Float32s()[i*n : (i+1)*n]
		if r.plain && restart == 0 {
			clear(values)
			return
		}
		stream := rng.New(r.setup.Seed, rng.Start, restart, rank, p.Index)
		r.start(values, start.Shape[1:], &stream, r.setup.Settings)
	}
}

// ranked is the class with the given rank by logits, 0 for the largest. Of equal logits the first is the largest.
func ranked(logits []float32, rank int) int64 {
	order := make([]int64, len(logits))
	for i := range order {
		order[i] = int64(i)
	}
	slices.SortStableFunc(order, func(a, b int64) int { return cmp.Compare(logits[b], logits[a]) })
	return order[rank]
}

// advance runs the engine once and lets the images that were found, or whose try is over, be judged.
func (r *runner) advance(w Work, busy []int) error {
	e := r.engine
	clock, draws := e.Input("step"), e.Input("draws")
	for _, i := range busy {
		p := &r.rows[i]
		if clock != nil {
			clock.Float32s()[i] = float32(p.steps)
		}
		if draws != nil {
			r.draw(draws, i, p)
		}
	}
	if err := e.Step(); err != nil {
		return err
	}
	found := e.Output("found")
	elems := len(r.rows[busy[0]].Image)
	adversarial := e.Output("adversarial").Float32s()
	var attempts []Attempt
	var rows []int
	for _, i := range busy {
		p := &r.rows[i]
		taken := min(e.steps, r.steps-p.steps)
		p.steps += taken
		p.counts.Forwards += int64(taken) * e.passes.Forwards
		p.counts.Backwards += int64(taken) * e.passes.Backwards
		x := adversarial[i*elems : (i+1)*elems]
		if e.cycles {
			if ago := p.trail.add(x); ago > 0 {
				left := r.steps - p.steps
				p.steps += left - left%(ago*e.steps)
			}
		}
		over := p.steps >= r.steps || found != nil && found.Float32s()[i] == failed
		if !over && (found == nil || found.Float32s()[i] < 0.5) {
			continue
		}
		a := Attempt{Point: p.Point, Adversarial: x, Counts: p.counts, Over: over}
		if over {
			a.Tries++
			a.Last = a.Tries >= e.tries
		}
		attempts, rows = append(attempts, a), append(rows, i)
	}
	return r.settle(w, attempts, rows)
}

// draw writes the uniform numbers of the coming steps of one point. The numbers of a step do not depend on how steps are grouped into
// runs.
func (r *runner) draw(draws *tensor.Tensor, i int, p *row) {
	n := int(draws.Shape[2])
	for k := range r.engine.steps {
		stream := rng.New(r.setup.Seed, rng.Attack, p.Tries, p.steps+k, p.Index)
		at := (k*r.engine.batch + i) * n
		stream.FillUniform(draws.Float32s()[at:at+n], 0, 1)
	}
}

// settle has attempts judged, frees the rows whose points are done and starts the next try of those whose try is over. rows has the row
// of each attempt.
func (r *runner) settle(w Work, attempts []Attempt, rows []int) error {
	if len(attempts) == 0 {
		return nil
	}
	broken, err := w.Judge(attempts)
	if err != nil {
		return err
	}
	for k, i := range rows {
		p := &r.rows[i]
		switch a := attempts[k]; {
		case broken[k] || a.Last:
			p.busy = false
		case a.Over:
			p.Tries, p.counts = a.Tries, Counts{}
			r.begin(i)
		default: // plain inference does not agree
			r.engine.state.Get(stateName(1)).Float32s()[i] = 0
		}
	}
	return nil
}

// shrink moves the busy rows to an engine of the given batch size.
func (r *runner) shrink(busy []int, size int) error {
	t := r.setup
	t.Batch = size
	next, err := r.launch(t)
	if err != nil {
		return err
	}
	to := next.tensors()
	for name, from := range r.engine.tensors() {
		n := from.Len() / r.engine.batch
		for k, i := range busy {
			switch from.DType() {
			case ir.Int64:
				part(to[name], k, from.Int64s()[i*n:(i+1)*n])
			default:
				part(to[name], k, from.Float32s()[i*n:(i+1)*n])
			}
		}
	}
	rows := make([]row, size)
	for k, i := range busy {
		rows[k] = r.rows[i]
	}
	err = r.engine.Close()
	r.engine, r.rows = next, rows
	return err
}

// Close implements Runner.
func (r *runner) Close() error { return r.engine.Close() }
