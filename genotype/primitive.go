// Package genotype holds the architecture of a DARTS-family network as data: two cells, each a list of edges and a list
// of concatenated nodes. It reads and writes the Python text form and the JSON form in which genotypes are published,
// carries a zoo of published genotypes, draws random ones, and draws cells as Graphviz text and SVG.
//
// The form is that of Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.1.
package genotype

import "slices"

// Primitive names the operation on an edge, spelled as in the public DARTS code.
type Primitive string

// The primitives of the DARTS family. The convolutions of SepConv and DilConv are depthwise separable; SepConv applies
// its pair twice, DilConv once with dilation 2. Conv7x1_1x7 is a 1x7 convolution followed by a 7x1 convolution.
const (
	None        Primitive = "none"
	SkipConnect Primitive = "skip_connect"
	MaxPool3x3  Primitive = "max_pool_3x3"
	AvgPool3x3  Primitive = "avg_pool_3x3"
	SepConv3x3  Primitive = "sep_conv_3x3"
	SepConv5x5  Primitive = "sep_conv_5x5"
	SepConv7x7  Primitive = "sep_conv_7x7"
	DilConv3x3  Primitive = "dil_conv_3x3"
	DilConv5x5  Primitive = "dil_conv_5x5"
	Conv7x1_1x7 Primitive = "conv_7x1_1x7"
)

// DARTSPrimitives are the candidates of the DARTS search space, in the order of the public code: column k of an
// architecture parameter belongs to DARTSPrimitives[k]. Callers must not change it.
var DARTSPrimitives = []Primitive{
	None, MaxPool3x3, AvgPool3x3, SkipConnect, SepConv3x3, SepConv5x5, DilConv3x3, DilConv5x5,
}

// Primitives returns every primitive a genotype may name, in the order of the constants.
func Primitives() []Primitive {
	return []Primitive{
		None, SkipConnect, MaxPool3x3, AvgPool3x3, SepConv3x3, SepConv5x5, SepConv7x7, DilConv3x3, DilConv5x5, Conv7x1_1x7,
	}
}

func (p Primitive) known() bool { return slices.Contains(Primitives(), p) }
