package genotype

import (
	"fmt"
	"strconv"
	"strings"
)

// String returns the genotype as the Python expression printed by the DARTS code,
//
//	Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=[2, 3, 4, 5], reduce=[...], reduce_concat=[...])
//
// which Parse reads back. The name is not part of it.
func (g Genotype) String() string {
	var b strings.Builder
	b.WriteString("Genotype(")
	writeCell(&b, "normal", g.Normal)
	b.WriteString(", ")
	writeCell(&b, "reduce", g.Reduce)
	b.WriteString(")")
	return b.String()
}

func writeCell(b *strings.Builder, name string, c Cell) {
	fmt.Fprintf(b, "%s=[", name)
	for i, e := range c.Edges {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "('%s', %d)", e.Op, e.From)
	}
	fmt.Fprintf(b, "], %s_concat=[", name)
	for i, s := range c.Concat {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(s))
	}
	b.WriteString("]")
}

// parseText reads the Python form: an optional "NAME =", then Genotype(...) with its four keywords in any order.
func parseText(text string) (Genotype, error) {
	var g Genotype
	s := scanner{text: text}
	head := s.word()
	if head != "" && s.accept("=") {
		g.Name = head
		head = s.word()
	}
	if head != "Genotype" {
		s.pos -= len(head)
		return g, s.errorf("expected Genotype(...), an assignment of it, or a JSON object, found %s", s.found())
	}
	if err := s.expect("("); err != nil {
		return g, err
	}
	keywords := []keyword{
		{name: "normal", edges: &g.Normal.Edges},
		{name: "normal_concat", concat: &g.Normal.Concat},
		{name: "reduce", edges: &g.Reduce.Edges},
		{name: "reduce_concat", concat: &g.Reduce.Concat},
	}
	for !s.accept(")") {
		if err := s.keyword(keywords); err != nil {
			return g, err
		}
		if !s.accept(",") {
			if err := s.expect(")"); err != nil {
				return g, err
			}
			break
		}
	}
	for _, k := range keywords {
		if !k.seen {
			return g, s.errorf("missing keyword %s", k.name)
		}
	}
	if s.space(); s.pos < len(text) {
		return g, s.errorf("expected the end of the text, found %s", s.found())
	}
	return g, g.Validate()
}

// keyword is an argument of Genotype(...); one of edges and concat is set.
type keyword struct {
	name   string
	edges  *[]Edge
	concat *[]int
	seen   bool
}

// keyword reads one NAME=VALUE argument into the entry of that name.
func (s *scanner) keyword(keywords []keyword) error {
	s.space()
	start := s.pos
	name := s.word()
	for i := range keywords {
		k := &keywords[i]
		if k.name != name {
			continue
		}
		if k.seen {
			s.pos = start
			return s.errorf("keyword %s given twice", name)
		}
		k.seen = true
		if err := s.expect("="); err != nil {
			return err
		}
		var err error
		if k.edges != nil {
			*k.edges, err = sequence(s, s.edge)
		} else {
			*k.concat, err = s.concat()
		}
		return err
	}
	s.pos = start
	return s.errorf("expected normal, normal_concat, reduce or reduce_concat, found %s", s.found())
}

// edge reads ('op', state).
func (s *scanner) edge() (Edge, error) {
	var e Edge
	closer, err := s.open()
	if err != nil {
		return e, err
	}
	op, err := s.quoted()
	if err != nil {
		return e, err
	}
	if err := s.expect(","); err != nil {
		return e, err
	}
	if e.From, err = s.integer(); err != nil {
		return e, err
	}
	e.Op = Primitive(op)
	return e, s.expect(closer)
}

// concat reads a list or tuple of states, or range(first, end).
func (s *scanner) concat() ([]int, error) {
	if !s.accept("range") {
		return sequence(s, s.integer)
	}
	if err := s.expect("("); err != nil {
		return nil, err
	}
	first, err := s.integer()
	if err != nil {
		return nil, err
	}
	if err := s.expect(","); err != nil {
		return nil, err
	}
	end, err := s.integer()
	if err != nil {
		return nil, err
	}
	// A state is written out by two edges, so no valid range is longer than the text that holds it.
	if end-first > len(s.text) {
		return nil, s.errorf("range(%d, %d) has more states than the text has edges", first, end)
	}
	var states []int
	for i := first; i < end; i++ {
		states = append(states, i)
	}
	return states, s.expect(")")
}
