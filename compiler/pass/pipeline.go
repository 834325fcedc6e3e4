package pass

// The passes, one row each: name, gain, what has to run before it and why.
var (
	Fold = Pass{Name: "fold", Why: "operators on constants are computed at compile time", Run: fold}

	Identity = Pass{
		Name: "identity", Why: "operators that change nothing are bypassed, chains of reshapes and transposes become one",
		After: []Need{{"fold", "neutral operands and shapes are recognised by their constant values"}},
		Run:   simplify,
	}
	Hoist = Pass{Name: "hoist", Why: "what is the same in every iteration of a loop is computed once, in front of it", Run: hoist}

	CSE = Pass{
		Name: "cse", Why: "equal operators on equal inputs are computed once",
		After: []Need{
			{"identity", "equal operators differ in their inputs while one of these is a copy"},
			{"hoist", "equal operators in two loops are merged only in front of them"},
		},
		Run: cse,
	}
	Dead = Pass{
		Name: "dead", Why: "operators and optional outputs that nothing uses are removed",
		After: []Need{
			{"identity", "bypassed operators are left behind without users"},
			{"cse", "merged operators may use different optional outputs of one node"},
		},
		Run: dead,
	}
	FoldBN = Pass{
		Name: "foldbn", Why: "normalisation by constants becomes part of the weights before it",
		After: []Need{
			{"fold", "weights and statistics may be computed from constants"},
			{"identity", "a copy between weights and normalisation hides one from the other"},
			{"dead", "weights absorb a normalisation only if nothing else uses the result; dead users must not count"},
		},
		Run: foldbn,
	}
)

// Training is the pipeline of graphs whose weights are computed or fed, as in training and search.
func Training() []Pass { return []Pass{Fold, Identity, Hoist, CSE, Dead} }

// Inference is the pipeline of graphs with constant weights, as in evaluation, deployment and attacks.
func Inference() []Pass { return append(Training(), FoldBN) }
