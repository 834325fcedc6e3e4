package genotype

import (
	"fmt"
	"strconv"
	"strings"
)

// String returns the genotype as the public code of its form writes it: the Python expression of DARTS,
//
//	Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=[2, 3, 4, 5], reduce=[...], reduce_concat=[...])
//
// ARNASGenotype(accurate=..., reduce=..., robust=...) with their concats, the Python list of RobNet's links, or the string
// of NAS-Bench-201, |nor_conv_3x3~0|+|...|. Cells whose nodes do not have two edges each add edges_per_node=3. Parse reads them back. The name is not part of it.
func (g Genotype) String() string {
	switch g.Form {
	case RobNet:
		return robNetText(g.Links)
	case NASBench201:
		return bench201Text(g.Edges)
	}
	var b strings.Builder
	b.WriteString(strings.ToUpper(string(g.Form)) + "Genotype(")
	for i, c := range g.Cells() {
		if i > 0 {
			b.WriteString(", ")
		}
		writeCell(&b, c.Name, c.Cell)
	}
	if n := g.Normal.EdgesPerNode; n != 0 {
		fmt.Fprintf(&b, ", edges_per_node=%d", n)
	}
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

// parseText reads an optional "NAME =" and what String writes, the keywords in any order.
func parseText(text string) (Genotype, error) {
	var g Genotype
	s := scanner{text: text}
	head := s.word()
	if head != "" && s.accept("=") {
		g.Name = head
		head = s.word()
	}
	var err error
	switch s.space(); {
	case head == "Genotype" || head == "ARNASGenotype":
		g.Form = Form(strings.ToLower(strings.TrimSuffix(head, "Genotype")))
		err = s.cells(&g)
	case head == "" && strings.HasPrefix(text[s.pos:], "|"):
		g.Form = NASBench201
		g.Edges, err = s.bench201()
	case head == "" && g.Name != "" && strings.HasPrefix(text[s.pos:], "["), head == "" && strings.HasPrefix(text[s.pos:], "[["):
		g.Form = RobNet
		g.Links, err = s.robNet()
	default:
		s.pos -= len(head)
		return g, s.errorf("expected Genotype(...), an assignment of it, or a JSON object, found %s", s.found())
	}
	if err != nil {
		return g, err
	}
	if s.space(); s.pos < len(text) {
		return g, s.errorf("expected the end of the text, found %s", s.found())
	}
	return g, g.Validate()
}

// cells reads the arguments of Genotype(...) or ARNASGenotype(...).
func (s *scanner) cells(g *Genotype) error {
	if err := s.expect("("); err != nil {
		return err
	}
	normal := "normal"
	if g.Form == ARNAS {
		normal = "accurate"
	}
	number := EdgesPerNode
	keywords := []keyword{
		{name: normal, edges: &g.Normal.Edges},
		{name: normal + "_concat", concat: &g.Normal.Concat},
		{name: "reduce", edges: &g.Reduce.Edges},
		{name: "reduce_concat", concat: &g.Reduce.Concat},
	}
	if g.Form == ARNAS {
		keywords = append(keywords, keyword{name: "robust", edges: &g.Robust.Edges}, keyword{name: "robust_concat", concat: &g.Robust.Concat})
	}
	keywords = append(keywords, keyword{name: edgesPerNodeKey, number: &number})
	for !s.accept(")") {
		if err := s.keyword(keywords); err != nil {
			return err
		}
		if !s.accept(",") {
			if err := s.expect(")"); err != nil {
				return err
			}
			break
		}
	}
	for _, k := range keywords {
		if !k.seen && k.number == nil {
			return s.errorf("missing keyword %s", k.name)
		}
	}
	g.setEdgesPerNode(number)
	return nil
}

// edgesPerNodeKey is the name of that number in text and JSON, where it is not two.
const edgesPerNodeKey = "edges_per_node"

// setEdgesPerNode sets the number of edges of a node in the cells of the form.
func (g *Genotype) setEdgesPerNode(n int) {
	if n == EdgesPerNode {
		n = 0
	}
	switch g.Form {
	case ARNAS:
		g.Robust.EdgesPerNode = n
		fallthrough
	case DARTS:
		g.Normal.EdgesPerNode, g.Reduce.EdgesPerNode = n, n
	}
}

// keyword is an argument of a genotype; one of edges, concat and number, which may be left out, is set.
type keyword struct {
	name   string
	edges  *[]Edge
	concat *[]int
	number *int
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
		switch {
		case k.edges != nil:
			*k.edges, err = sequence(s, s.edge)
		case k.concat != nil:
			*k.concat, err = s.concat()
		default:
			*k.number, err = s.integer()
		}
		return err
	}
	s.pos = start
	var expected []string
	for _, k := range keywords {
		if k.number == nil {
			expected = append(expected, k.name)
		}
	}
	last := len(expected) - 1
	return s.errorf("expected %s or %s, found %s", strings.Join(expected[:last], ", "), expected[last], s.found())
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
