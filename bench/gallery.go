package bench

import (
	"encoding/binary"
	"math"
	"slices"

	"rnas/bench/report"
)

// Sizes of the gallery of a model. Adversarial images are kept of the first points that are classified rightly, so that their choice depends
// on the model and the data only.
const (
	galleryBroken    = 6       // points shown that the attack breaks
	gallerySurviving = 2       // points shown that survive; where one kind has fewer, there are more of the other
	galleryMost      = 24      // largest number of points whose images are kept
	galleryBytes     = 4 << 20 // largest size of the kept images, unless there are no more than galleryFewest
	galleryFewest    = galleryBroken + gallerySurviving
)

// shown is an adversarial image in the progress file: float32, little endian.
type shown struct {
	Point int    `json:"point"`
	Image []byte `json:"image"`
}

// newShown is the image [C,H,W] of a point.
func newShown(point int, image []float32) shown {
	var b []byte
	for _, v := range image {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return shown{point, b}
}

// pixels is the image as numbers; nil if there are not elems of them.
func (s shown) pixels(elems int) []float32 {
	image := make([]float32, elems)
	if n, err := binary.Decode(s.Image, binary.LittleEndian, image); err != nil || n != len(s.Image) {
		return nil
	}
	return image
}

// exhibits are the points whose adversarial images are kept. right are the points that are classified rightly, sorted.
func (s *subject) exhibits(right []int) []int {
	most := min(galleryMost, max(galleryFewest, galleryBytes/(4*s.job.data.Elems())))
	return right[:min(most, len(right))]
}

// gallery shows examples of the attack of that name. images are its adversarial images by point, predictions those of the model.
func (s *subject) gallery(name string, images map[int]shown, predictions map[int]int) (*report.Gallery, error) {
	var broken, surviving []int
	for p := range images {
		if predictions[p] == int(s.job.data.Labels[p]) {
			surviving = append(surviving, p)
		} else {
			broken = append(broken, p)
		}
	}
	slices.Sort(broken)
	slices.Sort(surviving)
	few := min(len(surviving), max(gallerySurviving, galleryFewest-len(broken)))
	points := slices.Concat(broken[:min(len(broken), galleryFewest-few)], surviving[:few])

	g := &report.Gallery{Attack: name}
	elems := s.job.data.Elems()
	for _, p := range points {
		adversarial := images[p].pixels(elems)
		if adversarial == nil {
			continue
		}
		s.fill([]int{p})
		e := report.Example{
			Point: p, Label: s.job.data.Classes[s.job.data.Labels[p]], Shape: s.job.data.Shape,
			Clean: slices.Clone(s.images[:elems]), Adversarial: adversarial,
			Broken: predictions[p] != int(s.job.data.Labels[p]),
		}
		var err error
		if e.Before, err = s.guess(int(s.job.data.Labels[p])); err != nil {
			return nil, err
		}
		copy(s.images, adversarial)
		if e.After, err = s.guess(predictions[p]); err != nil {
			return nil, err
		}
		g.Examples = append(g.Examples, e)
	}
	return g, nil
}

// guess is the confidence of the model in a prediction about the first image of the buffer; no class for noClass.
func (s *subject) guess(prediction int) (report.Guess, error) {
	if prediction == noClass {
		return report.Guess{}, nil
	}
	logits, err := s.model.logits(s.images)
	if err != nil {
		return report.Guess{}, err
	}
	return report.Guess{Class: s.job.data.Classes[prediction], Confidence: confidence(s.model.row(logits, 0), prediction)}, nil
}

// confidence is the softmax of logits at a class. If the logits look like probabilities, it is the value there.
func confidence(logits []float32, class int) float64 {
	if probabilities(logits) {
		return float64(logits[class])
	}
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - float64(logits[class]))
	}
	return 1 / sum
}
