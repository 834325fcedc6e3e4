package runtime

// What the tests of package runtime_test see of the inside.
var (
	Placements     = placements
	Judge          = judge
	CheckPlacement = checkPlacement
	PhysicalOf     = physicalCores
	CompareVersion = compareVersions
	Signature      = signature
	Passes         = passes
	LanesOf        = lanesOf
	NewLanes       = newStepper
)
