package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
)

// Profile tells where the time of a program goes.
type Profile struct {
	Program string       `json:"program"` // "forward", or the name of an attack
	Batch   int          `json:"batch"`
	Runs    int          `json:"runs"`            // number of runs measured
	Millis  float64      `json:"ms"`              // milliseconds for one batch
	Rows    []ProfileRow `json:"rows"`            // largest first
	Outside float64      `json:"ms_outside"`      // milliseconds for one batch outside of operators
	Stage   string       `json:"stage,omitempty"` // key of the stage, for attacks with several
}

// ProfileRow is the time of one operator in one layer.
type ProfileRow struct {
	Layer    string  `json:"layer"`    // as in "cells.3/preprocess0"; "" for nodes of no layer
	Backward bool    `json:"backward"` // whether it is part of the gradient
	Operator string  `json:"operator"`
	Calls    float64 `json:"calls"` // calls for one batch
	Millis   float64 `json:"ms"`    // milliseconds for one batch
}

// Sum adds up rows with equal keys. The largest time is first.
func (p *Profile) Sum(key func(ProfileRow) ProfileRow) []ProfileRow {
	var out []ProfileRow
	index := map[ProfileRow]int{}
	for _, r := range p.Rows {
		k := key(r)
		k.Calls, k.Millis = 0, 0
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, k)
		}
		out[i].Calls += r.Calls
		out[i].Millis += r.Millis
	}
	SortProfile(out)
	return out
}

// ByOperator is a key of Sum.
func ByOperator(r ProfileRow) ProfileRow {
	return ProfileRow{Operator: r.Operator, Backward: r.Backward}
}

// ByLayer is a key of Sum.
func ByLayer(r ProfileRow) ProfileRow { return ProfileRow{Layer: r.Layer, Backward: r.Backward} }

// SortProfile puts the largest time first. Rows of equal time stand by layer, then by operator, then forward before backward.
func SortProfile(rows []ProfileRow) {
	slices.SortFunc(rows, func(a, b ProfileRow) int {
		backward := 0
		if a.Backward != b.Backward {
			backward = 1
			if b.Backward {
				backward = -1
			}
		}
		return cmp.Or(cmp.Compare(b.Millis, a.Millis), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Operator, b.Operator), backward)
	})
}

// ProfileJSON is the content of profile.json, the profiles of each model; nil when no model has one.
func (r *Result) ProfileJSON() ([]byte, error) {
	type profiled struct {
		Path     string    `json:"path"`
		Profiles []Profile `json:"profiles"`
	}
	var list []profiled
	for _, m := range r.Models {
		if len(m.Profiles) > 0 {
			list = append(list, profiled{m.Label(), m.Profiles})
		}
	}
	if list == nil {
		return nil, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(list)
	return b.Bytes(), err
}
