package ort

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// TracedRun is one run of a session as ONNX Runtime's profile tells it (Options.Profile).
type TracedRun struct {
	Time  time.Duration // of the whole run
	Nodes []TracedNode  // in the order in which they first ran
}

// TracedNode is the time of a node of the graph that ONNX Runtime made of the model; nodes of nested graphs are nodes as
// any other. Time is that of all calls, without that of nested graphs.
type TracedNode struct {
	Name, Op string
	Calls    int
	Time     time.Duration
}

// traceEvent is an entry of the trace; times are in microseconds.
type traceEvent struct {
	Category string `json:"cat"`
	Name     string `json:"name"`
	Start    int64  `json:"ts"`
	Duration int64  `json:"dur"`
	Args     struct {
		Op string `json:"op_name"`
	} `json:"args"`
}

// What ONNX Runtime calls its events: kernels by their node and this suffix, and the end of a run.
const (
	traceKernel = "_kernel_time"
	traceRun    = "model_run"
)

// ReadTrace reads a trace that ONNX Runtime wrote when a session was closed.
func ReadTrace(path string) ([]TracedRun, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("%s: not a trace: %w", path, err)
	}
	var runs []TracedRun
	r := newTraceReader()
	for d.More() {
		var e traceEvent
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("%s: not a trace: %w", path, err)
		}
		if e.Category == "Session" && e.Name == traceRun {
			runs = append(runs, TracedRun{Time: time.Duration(e.Duration) * time.Microsecond, Nodes: r.nodes})
			r = newTraceReader()
			continue
		}
		r.add(e)
	}
	return runs, nil
}

// traceReader collects the kernels of one run. Events come in the order in which they ended.
type traceReader struct {
	nodes []TracedNode
	index map[[2]string]int
	spans []traceSpan
}

type traceSpan struct{ start, duration int64 }

func newTraceReader() *traceReader { return &traceReader{index: map[[2]string]int{}} }

func (r *traceReader) add(e traceEvent) {
	name, ok := strings.CutSuffix(e.Name, traceKernel)
	if e.Category != "Node" || !ok {
		return
	}
	// What began after this kernel and ended before it is part of it: the body of a loop.
	own, first := e.Duration, len(r.spans)
	for ; first > 0 && r.spans[first-1].start >= e.Start && isNested(e.Args.Op); first-- {
		own -= r.spans[first-1].duration
	}
	r.spans = append(r.spans[:first], traceSpan{e.Start, e.Duration})
	key := [2]string{name, e.Args.Op}
	i, ok := r.index[key]
	if !ok {
		i = len(r.nodes)
		r.index[key] = i
		r.nodes = append(r.nodes, TracedNode{Name: name, Op: e.Args.Op})
	}
	r.nodes[i].Calls++
	r.nodes[i].Time += time.Duration(max(own, 0)) * time.Microsecond
}

// isNested reports whether an operator runs a nested graph.
func isNested(op string) bool { return op == "Loop" || op == "If" || op == "Scan" }
