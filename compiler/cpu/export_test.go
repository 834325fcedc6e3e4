package cpu

import "rnas/compiler/graphtest"

// What the tests of whole programs, which import this package, use of its tests.
var (
	SameGraphs = sameGraphs
	Count      = graphtest.Count
)
