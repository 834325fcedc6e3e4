package pass

// The passes, in alphabetical order.
var (
	cseNodes  = Pass{"cse", "equal operators on equal inputs are computed once", cse}
	deadNodes = Pass{"dead", "operators and optional outputs that nothing uses are removed", dead}
	foldBN    = Pass{"foldbn", "normalisation by constants becomes part of the weights before it", foldbn}
	foldNodes = Pass{"fold", "operators on constants are computed at compile time", fold}
	identity  = Pass{"identity", "operators that change nothing are bypassed, chains of reshapes and transposes become one", simplify}
	reluMasks = Pass{"relumask", "the mask of a Relu stays in the blocked layout of the CPU provider", relumask}
)

// order lists what every pipeline that has both passes must observe: each run of first stands before each run of then.
var order = []struct{ first, then, why string }{
	{"fold", "identity", "identity recognises neutral operands and shapes by their constant values"},
	{"fold", "foldbn", "weights and statistics may be computed from constants"},
	{"identity", "cse", "equal operators differ in their inputs while one of these is a copy"},
	{"cse", "dead", "merged operators may use different optional outputs of one node"},
	{"identity", "dead", "bypassed operators are left behind without users"},
	{"dead", "foldbn", "weights absorb a normalisation only if nothing else uses the result; dead users must not count"},
	{"identity", "foldbn", "a copy between weights and normalisation hides one from the other"},
	{"identity", "relumask", "a copy between Relu and Sign hides one from the other"},
	{"foldbn", "relumask", "provider-specific forms come last, so that no other pass has to know them"},
}

// Training is the pipeline of graphs whose weights are computed or fed: training, search. Provider is the name of the
// execution provider; only "cpu" has forms of its own.
func Training(provider string) []Pass {
	return lowered(provider, foldNodes, identity, cseNodes, deadNodes)
}

// Inference is the pipeline of graphs with constant weights: evaluation, deployment, attacks. Provider is the name of
// the execution provider; only "cpu" has forms of its own, so any other name gives a portable graph.
func Inference(provider string) []Pass {
	return lowered(provider, foldNodes, identity, cseNodes, deadNodes, foldBN)
}

func lowered(provider string, passes ...Pass) []Pass {
	if provider == "cpu" {
		passes = append(passes, reluMasks)
	}
	return passes
}
