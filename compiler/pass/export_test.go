package pass

// What the tests of whole programs, which import this package, use of its tests.
var (
	SameGraphs = sameGraphs
	Count      = count
)
