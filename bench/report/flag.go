package report

import (
	"fmt"
	"strings"
)

// FlagKind names a reason to doubt a result. Every kind has a row in explanations.
type FlagKind string

// The kinds of flags. Those from FlagSoftmax to FlagConstantGradient are about the model and stand at every attack on it.
const (
	FlagSoftmax          FlagKind = "softmax"                   // the outputs of the model are probabilities
	FlagNaN              FlagKind = "nan"                       // some logits are not numbers
	FlagRandom           FlagKind = "random"                    // two runs on one image differ
	FlagStraightThrough  FlagKind = "straight-through gradient" // gradients pass a rounding as if it were the identity
	FlagCutGradient      FlagKind = "cut gradient"              // an operator lets values pass but no gradient
	FlagNoGradient       FlagKind = "no gradient"               // an operator has no rule for its gradient
	FlagBlockedGradient  FlagKind = "blocked gradient"          // no gradient reaches the image
	FlagLoss             FlagKind = "loss"                      // gradient ascent does not raise the loss
	FlagZeroGradient     FlagKind = "zero gradient"             // the gradient of the cross-entropy is zero in every pixel
	FlagNaNGradient      FlagKind = "nan gradient"              // the gradient is not a number
	FlagSaturated        FlagKind = "saturated"                 // the softmax rounds to 0 and 1
	FlagConstantGradient FlagKind = "constant gradient"         // the gradient is the same at images where it should not be

	FlagMates     FlagKind = "batch mates"  // the logits of an image depend on the images beside it
	FlagChance    FlagKind = "chance"       // the accuracy without attack is that of guessing
	FlagCollapsed FlagKind = "collapsed"    // nearly all images are predicted as one class
	FlagStill     FlagKind = "still logits" // the logits hardly change with the image
	FlagReading   FlagKind = "reading"      // another reading of the pixels gives a better accuracy

	FlagInvalid  FlagKind = "invalid"  // an attack left the ball or [0,1]
	FlagSquare   FlagKind = "square"   // an attack without gradients is stronger than those with
	FlagTransfer FlagKind = "transfer" // images made on another model are stronger than attacks on this one
	FlagEps      FlagKind = "eps"      // the accuracy does not fall with the radius
	FlagSteps    FlagKind = "steps"    // the accuracy does not fall with the number of steps
)

// Flag is one reason to doubt a result: its kind, and what was found, for people. In files a flag is the text "kind: detail".
type Flag struct {
	Kind   FlagKind
	Detail string
}

// NewFlag is a flag with a detail in the format of fmt.Sprintf.
func NewFlag(kind FlagKind, format string, values ...any) Flag {
	return Flag{kind, fmt.Sprintf(format, values...)}
}

// String is the text "kind: detail".
func (f Flag) String() string { return string(f.Kind) + ": " + f.Detail }

// MarshalText gives the text of String to encoding/json.
func (f Flag) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the text of String. The error names a text without a kind.
func (f *Flag) UnmarshalText(text []byte) error {
	kind, detail, ok := strings.Cut(string(text), ": ")
	if !ok {
		return fmt.Errorf("flag %q: expected a kind, a colon and a detail", text)
	}
	*f = Flag{FlagKind(kind), detail}
	return nil
}
