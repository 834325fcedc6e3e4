package grad

// constant lists operators whose outputs are piecewise constant in their inputs or are not numbers of the reals: their
// gradient is zero wherever it exists.
var constant = map[string]string{
	"HannWindow": "depends on a size only", "HammingWindow": "depends on a size only", "BlackmanWindow": "depends on a size only",
	"Sign": "piecewise constant", "Floor": "piecewise constant", "Ceil": "piecewise constant", "Round": "piecewise constant",
	"Not": "boolean", "And": "boolean", "Or": "boolean", "Xor": "boolean",
	"Equal": "boolean", "Greater": "boolean", "GreaterOrEqual": "boolean", "Less": "boolean", "LessOrEqual": "boolean",
	"IsNaN": "boolean", "IsInf": "boolean",
	"Hardmax": "piecewise constant", "BitCast": "bits are not numbers",
	"BitShift": "integer", "BitwiseAnd": "integer", "BitwiseOr": "integer", "BitwiseXor": "integer", "BitwiseNot": "integer",
	"ArgMax": "integer", "ArgMin": "integer", "Shape": "integer",
	"Size": "integer", "NonZero": "integer",
	"Range": "depends on constants only", "Unique": "depends on constants only",
	"RandomNormal": "random", "RandomNormalLike": "random", "RandomUniform": "random", "RandomUniformLike": "random",
	"Bernoulli": "random", "Multinomial": "random",
	"EyeLike": "depends on a shape only", "ConstantOfShape": "depends on a shape only",
}

// unsupported lists the remaining operators of the table without a rule, and why.
var unsupported = map[string]string{
	"Loop": "differentiate inside the body instead",
}
