package export

import (
	"fmt"
	"slices"
	"strings"
)

// Header is what a model file says about itself outside its graph and its metadata.
type Header struct {
	IRVersion       int64         `json:"ir_version"`
	Producer        string        `json:"producer,omitempty"`
	ProducerVersion string        `json:"producer_version,omitempty"`
	ModelVersion    int64         `json:"model_version,omitempty"`
	Doc             string        `json:"doc,omitempty"`
	Opsets          []OperatorSet `json:"opsets"` // the standard one first, the others by domain
	// Metadata is the free text of the model by key, without that of its graph.
	Metadata map[string]string `json:"-"`
}

// OperatorSet is the version of one domain of operators.
type OperatorSet struct {
	Domain  string `json:"domain"` // "" for the standard one
	Version int64  `json:"version"`
}

// ReadHeader reads the header of an ONNX model and leaves its graph unread. An error names the byte offset.
func ReadHeader(data []byte) (Header, error) {
	var h Header
	err := span{data, 0}.each(func(f field) error {
		switch f.num {
		case modelIRVersion:
			return f.toInt(&h.IRVersion)
		case modelProducer:
			return f.toString(&h.Producer)
		case modelProducerVersion:
			return f.toString(&h.ProducerVersion)
		case modelVersion:
			return f.toInt(&h.ModelVersion)
		case modelDoc:
			return f.toString(&h.Doc)
		case modelOpsetImport:
			domain, version, err := decodeOpset(f)
			h.Opsets = append(h.Opsets, OperatorSet{domain, version})
			return err
		case modelMetadata:
			key, value, err := decodeEntry(f)
			if h.Metadata == nil {
				h.Metadata = map[string]string{}
			}
			h.Metadata[key] = value
			return err
		}
		return nil
	})
	if err != nil {
		return Header{}, fmt.Errorf("onnx: %w", err)
	}
	slices.SortStableFunc(h.Opsets, func(a, b OperatorSet) int { return strings.Compare(a.Domain, b.Domain) })
	return h, nil
}
