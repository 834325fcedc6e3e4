package interp

import (
	"fmt"
	"slices"
)

var lossKernels = map[string]kernel{
	"NegativeLogLikelihoodLoss": func(c *call) ([]*array, error) {
		y, err := c.likelihood(c.in[0])
		return one(y), err
	},
	"SoftmaxCrossEntropyLoss": func(c *call) ([]*array, error) {
		rows, length, back := lanes(c.in[0], 1)
		logs := rows.view(rows.shape)
		logs.f = slices.Clone(rows.f)
		for at := 0; length > 0 && at < len(logs.f); at += length {
			logSoftmax(logs.f[at : at+length])
		}
		p := back(logs)
		y, err := c.likelihood(p)
		return []*array{y, p}, err
	},
	"RandomNormal": draws, "RandomNormalLike": draws, "RandomUniform": draws, "RandomUniformLike": draws,
	"Bernoulli": draws, "Multinomial": draws,
}

// draws refuses operators that draw random numbers.
func draws(*call) ([]*array, error) { return nil, fmt.Errorf("random numbers are not supported") }

// likelihood is the weighted negative of the log-probabilities [N,C,...] at the labels [N,...].
func (c *call) likelihood(p *array) (*array, error) {
	labels, weights := c.in[1], c.arg(2)
	loss, err := zeros(p.dtype, labels.shape)
	if err != nil {
		return nil, err
	}
	outer, classes, inner := blocks(p.shape, 1)
	ignore, given := c.Attrs["ignore_index"].(int64)
	total, sum := 0.0, 0.0
	for o := range outer {
		for i := range inner {
			label := labels.i[o*inner+i]
			if given && label == ignore {
				continue
			}
			if label < 0 || label >= int64(classes) {
				return nil, fmt.Errorf("label %d is outside %d classes", label, classes)
			}
			w := 1.0
			if weights != nil {
				w = weights.f[label]
			}
			l := -w * p.f[(o*classes+int(label))*inner+i]
			loss.f[o*inner+i] = l
			sum += l
			total += w
		}
	}
	switch c.Str("reduction", "mean") {
	case "none":
		return loss, nil
	case "mean":
		sum /= total
	}
	return &array{dtype: p.dtype, shape: []int64{}, f: []float64{sum}}, nil
}
