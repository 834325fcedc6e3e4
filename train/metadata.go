package train

import (
	"encoding/json"
	"strconv"

	"rnas/compiler/program"
)

// Keys of the metadata of exported models. Metadata says what they hold.
const (
	MetaFormat     = "format"
	MetaGenotype   = "genotype"
	MetaNetwork    = "network"
	MetaClasses    = "class_names"
	MetaInputRange = "input_range"
	MetaMean       = "mean"
	MetaStd        = "std"
	MetaEps        = "eps"
	MetaTraining   = "training"
	MetaGradient   = "gradient"
	MetaAttack     = "attack"
	MetaAdapter    = "adapter"
)

// Form is how a value of the metadata is written.
type Form string

// The forms of metadata.
const (
	Text   Form = "text"
	Number Form = "number"
	List   Form = "JSON list"
	Object Form = "JSON object"
)

// MetadataKey is a key of the metadata of exported models.
type MetadataKey struct {
	Key     string
	Form    Form
	Meaning string // in Markdown
	// value is what a trained network has under the key, "" for nothing; nil for keys that only gradient graphs and attacks have.
	value func(w *Weights) (string, error)
}

// Metadata lists the keys of the metadata of exported models, in the order of docs/models.md.
var Metadata = []MetadataKey{
	{
		MetaFormat, Text, "`rnas`, of every model whose network is in `network`",
		func(*Weights) (string, error) { return weightsFormat, nil },
	},
	{
		MetaClasses, List, "names in the order of the logits; of a folder data set the names of its folders",
		func(w *Weights) (string, error) { return listed(w.Classes) },
	},
	{
		MetaInputRange, List, "`[0,1]`, the range of every pixel",
		func(*Weights) (string, error) { return "[0,1]", nil },
	},
	{
		MetaMean, List, "what the model itself subtracts from each channel; absent for none",
		func(w *Weights) (string, error) { return listed(w.Network.Mean) },
	},
	{
		MetaStd, List, "what the model itself divides each channel by after that; absent for none",
		func(w *Weights) (string, error) { return listed(w.Network.Std) },
	},
	{
		MetaGenotype, Text, "in the Python form of the DARTS code",
		func(w *Weights) (string, error) { return w.Network.Genotype.String(), nil },
	},
	{MetaNetwork, Object, "channels, layers, classes, image size and cells", networkText},
	{MetaEps, Number, "radius, in pixels of [0,1], of the attack that the model was trained with; absent for none", trainedEps},
	{
		MetaTraining, Object, "configuration and accuracy of the training",
		func(w *Weights) (string, error) { return w.Record, nil },
	},
	{MetaGradient, Object, "of gradient graphs: loss, output and names", nil},
	{MetaAdapter, List, "of adapted models: what `rnas adapt` put between the images and the model, in words", nil},
	{MetaAttack, Object, "of attacks as models: kind, norm, eps, steps, the SHA-256 of the attacked file and what the inputs mean", nil},
}

// metadata is that of the deployed form of the network.
func (w *Weights) metadata() (map[string]string, error) {
	meta := map[string]string{}
	for _, k := range Metadata {
		if k.value == nil {
			continue
		}
		text, err := k.value(w)
		if err != nil {
			return nil, err
		}
		if text != "" {
			meta[k.Key] = text
		}
	}
	return meta, nil
}

// listed writes a JSON list, "" for an empty one.
func listed[T any](list []T) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

func networkText(w *Weights) (string, error) {
	text, err := json.Marshal(w.Network)
	return string(text), err
}

// trainedEps is the radius of the attack that the record of the training tells.
func trainedEps(w *Weights) (string, error) {
	var how struct{ Attack program.Attack }
	if json.Unmarshal([]byte(w.Record), &how) != nil || how.Attack.Epsilon <= 0 {
		return "", nil
	}
	return strconv.FormatFloat(how.Attack.Epsilon, 'g', -1, 64), nil
}
