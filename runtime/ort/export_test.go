package ort

// What the tests of package ort_test see of the inside.
var (
	Placements     = placements
	Judge          = judge
	CheckPlacement = checkPlacement
	PhysicalOf     = physicalCores
	CompareVersion = compareVersions
	Signature      = signature
)
