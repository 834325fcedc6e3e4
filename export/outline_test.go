package export

import (
	"reflect"
	"strings"
	"testing"
)

func TestOutline(t *testing.T) {
	data, err := Marshal(loop(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	o, err := ReadOutline(data)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Unmarshal(data, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var inputs, outputs []string
	for _, v := range g.Inputs {
		inputs = append(inputs, v.Name)
	}
	for _, v := range g.Outputs {
		outputs = append(outputs, v.Name)
	}
	want := Outline{Inputs: inputs, Outputs: outputs, Operators: o.Operators}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("got %+v, want %+v", o, want)
	}
	var names []string
	for _, op := range o.Operators {
		names = append(names, op.Name)
	}
	if list := strings.Join(names, " "); !strings.Contains(list, "Loop") || len(names) < 2 {
		t.Errorf("operators %s", list)
	}
}
