package main

import (
	"testing"

	"rnas/bench"
	"rnas/bench/attack"
	"rnas/internal/fault"
)

func TestProtocol(t *testing.T) {
	_, unknown := bench.ProtocolNamed("madry")
	if unknown == nil {
		t.Fatal("expected an error about an unknown protocol")
	}
	for _, c := range []struct {
		args []string
		want string // error; "" for none
	}{
		{nil, ""},
		{[]string{"--attacks", "clean,autoattack", "--norm", "linf", "--eps", "0.03137254901960784", "--split", "test"}, ""},
		{[]string{"--norm", "l2"}, "--norm l2 contradicts --protocol robustbench-linf: expected linf"},
		{[]string{"--eps", "4/255"}, "--eps 4/255 contradicts --protocol robustbench-linf: expected 8/255"},
		{[]string{"--attacks", "fgsm"}, "--attacks fgsm contradicts --protocol robustbench-linf: expected autoattack"},
		{[]string{"--step-size", "2/255"}, "--step-size 2/255 contradicts --protocol robustbench-linf: expected none: each attack has its own"},
		{[]string{"--split", "train"}, "--split train contradicts --protocol robustbench-linf: expected test"},
		{[]string{"--protocol", "madry"}, "--protocol: " + unknown.Error()},
	} {
		var b benchFlags
		f := newFlagSet("bench")
		b.add(f)
		if err := f.Parse(append([]string{"--protocol", "robustbench-linf"}, c.args...)); err != nil {
			t.Fatal(err)
		}
		var o bench.Options
		var err error
		if o.Attacks, err = attack.Parse(b.attacks); err != nil {
			t.Fatal(err)
		}
		err = b.follow(f, &o)
		switch {
		case c.want != "":
			if err == nil || err.Error() != c.want || !fault.IsInput(err) {
				t.Errorf("%v: expected %q, found %v", c.args, c.want, err)
			}
		case err != nil:
			t.Errorf("%v: %v", c.args, err)
		case len(o.Attacks) != 1 || o.Attacks[0].Name != "autoattack" || o.Settings.Norm != "linf" || o.Protocol == nil:
			t.Errorf("%v: found %+v", c.args, o)
		}
	}
}
