package export

import (
	"reflect"
	"strings"
	"testing"

	"rnas/internal/tensor"
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

func TestFixedInput(t *testing.T) {
	data, err := Marshal(classifier(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(x *tensor.Tensor) error {
		g, err := Unmarshal(data, ReadOptions{Fixed: map[string]*tensor.Tensor{"image": x}})
		if err == nil && len(g.Inputs) != 0 {
			t.Errorf("the input is still one: %v", g.Inputs)
		}
		return err
	}
	if err := read(tensor.Zeros(tensor.Float32, 2, 3, 8, 8)); err != nil {
		t.Error(err)
	}
	const want = `input "image": the value is float32[2,3,8,9], which the declaration does not allow`
	if err := read(tensor.Zeros(tensor.Float32, 2, 3, 8, 9)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}
