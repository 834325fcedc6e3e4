// Command ours is our side of tools/compare: it loads the programs of one case and times their steps on request.
//
//	ours CASE.json          answers requests on standard input, one line each, with one JSON document a line
//	ours CASE.json weights  writes initial weights of the case's network and ends
//
// The first line answers the load. Then "first" makes one step and writes what it computed to values.f32 in the case's
// folder, "step N" makes N steps and answers the milliseconds of each by part, and "memory" answers the peak of the
// resident memory in MiB.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ours:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("expected a case file")
	}
	c, err := readCase(args[0])
	if err != nil {
		return err
	}
	if len(args) > 1 {
		return c.writeWeights()
	}
	library, err := ort.OpenDefault("")
	if err != nil {
		return err
	}
	begin := time.Now()
	s, err := c.load()
	if err != nil {
		return err
	}
	defer s.close()
	answer := json.NewEncoder(out)
	err = answer.Encode(map[string]any{
		"load_s": time.Since(begin).Seconds(), "parameters": s.parameters,
		"version": "ONNX Runtime " + library.Version(), "nodes": s.nodes,
	})
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		reply, err := s.request(strings.Fields(lines.Text()))
		if err != nil {
			return err
		}
		if err := answer.Encode(reply); err != nil {
			return err
		}
	}
	return nil
}

// request does what one line asks for.
func (s *side) request(words []string) (any, error) {
	switch {
	case len(words) == 1 && words[0] == "first":
		begin := time.Now()
		values, err := s.first()
		if err != nil {
			return nil, err
		}
		took := time.Since(begin).Seconds()
		return map[string]float64{"first_s": took}, os.WriteFile(s.file("values.f32"), tensor.Bytes(tensor.Vector(values...)), 0o644)
	case len(words) == 1 && words[0] == "memory":
		peak, err := peakMemory()
		return map[string]float64{"memory_mib": peak}, err
	case len(words) == 2 && words[0] == "step":
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return nil, err
		}
		return s.time(n)
	}
	return nil, fmt.Errorf("request %q: expected first, memory or step N", words)
}

// time makes n steps and returns the milliseconds of each, by part.
func (s *side) time(n int) (map[string][]float64, error) {
	ms := map[string][]float64{}
	for range n {
		for _, p := range s.parts {
			begin := time.Now()
			if err := p.Step(); err != nil {
				return nil, err
			}
			ms[p.name] = append(ms[p.name], time.Since(begin).Seconds()*1e3/p.per)
		}
	}
	return ms, nil
}

// peakMemory is the high-water mark of the resident memory in MiB, as Linux counts it.
func peakMemory() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kib); err == nil {
			return kib / 1024, nil
		}
	}
	return 0, fmt.Errorf("/proc/self/status: no line VmHWM")
}
