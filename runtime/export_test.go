package runtime

// What the tests of package runtime_test see of the inside.
var (
	Passes  = passes
	LanesOf = lanesOf
)
