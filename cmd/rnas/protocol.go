package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"rnas/bench"
	"rnas/bench/attack"
	"rnas/internal/fault"
)

// protocolUsage is the help of --protocol, with one line about each protocol.
func protocolUsage() string {
	var b strings.Builder
	b.WriteString("attacks, norm and eps of a published evaluation; with --limit the report says that it is not the whole:")
	for _, p := range bench.Protocols() {
		b.WriteString("\n" + p.Name + ": " + p.About)
	}
	return b.String()
}

// follow applies --protocol, if it is given, to the options. f tells which other flags are given. The error is about an unknown protocol or a
// flag that contradicts the protocol.
func (b *benchFlags) follow(f *pflag.FlagSet, o *bench.Options) error {
	if b.protocol == "" {
		return nil
	}
	p, err := bench.ProtocolNamed(b.protocol)
	if err != nil {
		return fault.Inputf("--protocol: %w", err)
	}
	for _, c := range []struct {
		flag    string
		agrees  bool
		because string
	}{
		{"attacks", slices.Equal(attack.Names(o.Attacks), p.Attacks), "expected " + strings.Join(p.Attacks, ",")},
		{"norm", b.norm == p.Norm, "expected " + p.Norm},
		{"eps", b.eps.size == p.Epsilon, "expected " + p.Radius},
		{"step-size", false, "expected none: each attack has its own"},
		{"split", b.split == "test", "expected test"},
	} {
		if f.Changed(c.flag) && !c.agrees {
			return fault.Inputf("--%s %s contradicts --protocol %s: %s", c.flag, f.Lookup(c.flag).Value, p.Name, c.because)
		}
	}
	if err := p.Apply(o); err != nil {
		return fault.Inputf("--protocol %s: %w", p.Name, err)
	}
	return nil
}
