package pass

// The passes, one row each: name, gain, what has to run before it and why.
var (
	foldNodes = Pass{Name: "fold", Why: "operators on constants are computed at compile time", Run: fold}

	identity = Pass{
		Name: "identity", Why: "operators that change nothing are bypassed, chains of reshapes and transposes become one",
		After: []Need{{"fold", "neutral operands and shapes are recognised by their constant values"}},
		Run:   simplify,
	}
	hoistNodes = Pass{Name: "hoist", Why: "what is the same in every iteration of a loop is computed once, in front of it", Run: hoist}

	cseNodes = Pass{
		Name: "cse", Why: "equal operators on equal inputs are computed once",
		After: []Need{
			{"identity", "equal operators differ in their inputs while one of these is a copy"},
			{"hoist", "equal operators in two loops are merged only in front of them"},
		},
		Run: cse,
	}
	deadNodes = Pass{
		Name: "dead", Why: "operators and optional outputs that nothing uses are removed",
		After: []Need{
			{"identity", "bypassed operators are left behind without users"},
			{"cse", "merged operators may use different optional outputs of one node"},
		},
		Run: dead,
	}
	foldBN = Pass{
		Name: "foldbn", Why: "normalisation by constants becomes part of the weights before it",
		After: []Need{
			{"fold", "weights and statistics may be computed from constants"},
			{"identity", "a copy between weights and normalisation hides one from the other"},
			{"dead", "weights absorb a normalisation only if nothing else uses the result; dead users must not count"},
		},
		Run: foldbn,
	}
	reluMasks = Pass{
		Name: "relumask", Why: "the mask of a Relu stays in the blocked layout of the CPU provider",
		After: []Need{{"identity", "a copy between Relu and Sign hides one from the other"}},
		Run:   relumask,
	}
	clipMasks = Pass{
		Name: "clipmask", Why: "the mask of a Clip stays in the blocked layout of the CPU provider, which is slow at Where",
		After: []Need{{"fold", "bounds are recognised by their constant values"}},
		Run:   clipmask,
	}
)

// Training is the pipeline of graphs whose weights are computed or fed: training, search. Provider is the name of the
// execution provider; only "cpu" has forms of its own.
func Training(provider string) []Pass {
	return lowered(provider, foldNodes, identity, hoistNodes, cseNodes, deadNodes)
}

// Inference is the pipeline of graphs with constant weights: evaluation, deployment, attacks. Provider is the name of
// the execution provider; only "cpu" has forms of its own, so any other name gives a portable graph.
func Inference(provider string) []Pass {
	return lowered(provider, foldNodes, identity, hoistNodes, cseNodes, deadNodes, foldBN)
}

func lowered(provider string, passes ...Pass) []Pass {
	if provider == "cpu" {
		passes = append(passes, reluMasks, clipMasks)
	}
	return passes
}
