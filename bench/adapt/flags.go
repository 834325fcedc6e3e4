// Package adapt puts what stands between an image as a person sees it and a model into the graph of the model: the range and the order of
// pixels, normalisation, the layout, and which output holds the logits. An adapted model has one input "input" float32 [N,C,H,W] of pixels in
// [0,1], red first, and one output "logits" float32 [N,K]. So the radius of an attack is one of pixels, whatever the model takes.
//
// Read decides for every command. What it decided is told in words.
package adapt

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rnas/compiler/ir"
	"rnas/train"
)

// The ranges of pixels and the layouts that models take.
const (
	Unit   = "0..1"
	Byte   = "0..255"
	Signed = "-1..1"

	NCHW = "nchw"
	NHWC = "nhwc"
)

// Flags say what a model takes where its file does not.
type Flags struct {
	Mean, Std []float64 // subtracted from, then divided by, in the range and in the order of channels that the model takes; none for none
	Pixels    string    // Unit, Byte or Signed; "" for what the metadata say, or Unit
	BGR       bool      // blue first
	Layout    string    // NCHW or NHWC; "" for what the dimensions say
	Shape     []int64   // C, H, W of the images where the file leaves them open; nil for those of the data
	Output    string    // name of the output that holds the logits; "" for the rule of chooseOutput
}

// Empty reports whether nothing is said.
func (f Flags) Empty() bool {
	return len(f.Mean)+len(f.Std)+len(f.Shape) == 0 && f.Pixels == "" && !f.BGR && f.Layout == "" && f.Output == ""
}

// Validate checks the flags without a model. Errors name the flag.
func (f Flags) Validate() error {
	switch {
	case f.Pixels != "" && f.Pixels != Unit && f.Pixels != Byte && f.Pixels != Signed:
		return fmt.Errorf("--pixels: expected %s, %s or %s, found %q", Unit, Byte, Signed, f.Pixels)
	case f.Layout != "" && f.Layout != NCHW && f.Layout != NHWC:
		return fmt.Errorf("--layout: expected %s or %s, found %q", NCHW, NHWC, f.Layout)
	case slices.ContainsFunc(f.Std, func(s float64) bool { return !(s > 0) }):
		return fmt.Errorf("--std: expected positive numbers, found %v", f.Std)
	}
	return nil
}

// Text is the flags as they stand on a command line, "" for none.
func (f Flags) Text() string {
	var words []string
	add := func(name, value string) {
		if value != "" {
			words = append(words, "--"+name+" "+value)
		}
	}
	add("pixels", f.Pixels)
	add("mean", list(f.Mean))
	add("std", list(f.Std))
	if f.BGR {
		words = append(words, "--bgr")
	}
	add("layout", f.Layout)
	if len(f.Shape) == 3 {
		add("shape", fmt.Sprintf("%dx%dx%d", f.Shape[0], f.Shape[1], f.Shape[2]))
	}
	add("output", f.Output)
	return strings.Join(words, " ")
}

// list joins numbers by commas.
func list(v []float64) string {
	parts := make([]string, len(v))
	for i, x := range v {
		parts[i] = fmt.Sprint(x)
	}
	return strings.Join(parts, ",")
}

// Keys of the metadata that ONNX names for models of images (onnx/docs/MetadataProps.md).
const (
	metaPixelFormat = "Image.BitmapPixelFormat"
	metaPixelRange  = "Image.NominalPixelRange"
)

// recorded fills in what the metadata of a file say and the flags do not. Errors: a range or format that this program does not know.
func (f Flags) recorded(meta map[string]string) (Flags, []string, error) {
	var words []string
	if f.Pixels == "" {
		named := map[string]string{
			"": "", "normalized_0_1": Unit, "normalized_1_1": Signed, "nominalrange_0_255": Byte,
		}
		text := meta[metaPixelRange]
		pixels, ok := named[strings.ToLower(text)]
		if !ok {
			return f, nil, fmt.Errorf("metadata %s: expected Normalized_0_1, Normalized_1_1 or NominalRange_0_255, found %q; --pixels says it instead", metaPixelRange, text)
		}
		var r []float64
		if pixels == "" && json.Unmarshal([]byte(meta[train.MetaInputRange]), &r) == nil && len(r) == 2 {
			pixels = map[[2]float64]string{{0, 255}: Byte, {-1, 1}: Signed}[[2]float64(r)]
		}
		if f.Pixels = pixels; pixels != "" && pixels != Unit {
			words = append(words, "the metadata say pixels "+pixels)
		}
	}
	if strings.EqualFold(meta[metaPixelFormat], "bgr8") && !f.BGR {
		f.BGR = true
		words = append(words, "the metadata say blue first")
	}
	return f, words, nil
}

// Images is what is known of the images that a model is to classify; the zero value is nothing.
type Images struct {
	Shape   []int64 // C, H, W; nil where there are no images at hand
	Classes int     // 0 for unknown
	Name    string  // of the data
}

// known is the shape of the images: of the data, or by --shape. Errors: the two differ.
func (im Images) known(f Flags) ([]int64, error) {
	switch {
	case len(f.Shape) > 0 && len(im.Shape) > 0 && !slices.Equal(f.Shape, im.Shape):
		return nil, fmt.Errorf("--shape: expected %s as in %s, found %s", ir.Shape(im.Shape), im.Name, ir.Shape(f.Shape))
	case len(im.Shape) > 0:
		return im.Shape, nil
	}
	return f.Shape, nil
}
