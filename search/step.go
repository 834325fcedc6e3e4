package search

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/rng"
)

// sums are added up over an epoch, apart from Lambda, Seconds and what stands behind them, which live on.
type sums struct {
	Loss       float64 `json:"loss"` // of weight steps
	Correct    float64 `json:"correct"`
	Steps      int     `json:"steps"`
	ValLoss    float64 `json:"val_loss"` // of alpha steps
	ValCorrect float64 `json:"val_correct"`
	ValSteps   int     `json:"val_steps"`
	Reg        float64 `json:"reg"`    // of steps with the term
	Scaled     float64 `json:"scaled"` // lambda*R
	CE         float64 `json:"ce"`     // of the same steps
	RegSteps   int     `json:"reg_steps"`
	NormCE     float64 `json:"norm_ce"` // of steps whose gradients are taken apart
	NormReg    float64 `json:"norm_reg"`
	Shares     float64 `json:"shares"`
	Cosine     float64 `json:"cosine"`
	NormSteps  int     `json:"norm_steps"`

	Lambda     float64         `json:"lambda"`
	Seconds    float64         `json:"seconds"`
	Passes     int64           `json:"passes"`
	Curvatures []float64       `json:"curvatures,omitempty"`
	Genotypes  []string        `json:"genotypes,omitempty"` // of the last epochs, for a curvature that has grown
	Genotype   json.RawMessage `json:"genotype,omitempty"`
	Stopped    string          `json:"stopped,omitempty"` // why the search ended early
	Warning    string          `json:"warning,omitempty"`
}

// Epoch is the line of an epoch in the log; epochs count from 1, seconds are those of its steps.
type Epoch struct {
	Epoch       int      `json:"epoch"`
	Seconds     float64  `json:"seconds"`
	Passes      int64    `json:"passes"`   // since the beginning, forward and backward passes of the supernet over a batch
	Loss        float64  `json:"loss"`     // cross-entropy of the weight steps
	Accuracy    float64  `json:"accuracy"` // likewise
	LR          float64  `json:"lr"`
	ValLoss     *float64 `json:"val_loss,omitempty"`     // cross-entropy of the alpha steps
	ValAccuracy *float64 `json:"val_accuracy,omitempty"` // likewise
	Reg         *float64 `json:"reg,omitempty"`          // mean of R over the steps with the term
	RegOverCE   *float64 `json:"reg_over_ce,omitempty"`  // lambda*R over the cross-entropy of the same steps
	Lambda      *float64 `json:"lambda,omitempty"`       // after the epoch
	// Means over the steps whose gradients are taken apart: norms of the gradients of cross-entropy and R, the share of lambda*R in the
	// sum of norms, the cosine between them.
	NormCE    *float64 `json:"norm_ce,omitempty"`
	NormReg   *float64 `json:"norm_reg,omitempty"`
	RegShare  *float64 `json:"reg_share,omitempty"`
	Cosine    *float64 `json:"cosine,omitempty"`
	Curvature *float64 `json:"curvature,omitempty"` // largest eigenvalue of the Hessian by alpha
	Entropy   float64  `json:"entropy"`             // mean over edges, in nats
	Undecided int      `json:"undecided"`           // edges whose two largest weights differ by less than 0.01
	Skips     int      `json:"skips"`               // skip connections of the genotype
	Genotype  string   `json:"genotype"`
	Stopped   string   `json:"stopped,omitempty"` // why the search ends with this epoch
}

// step is an alpha step, but for the warm-up, and a weight step.
func (s *searcher) step(epoch, step int) error {
	c := s.config
	lr := float32(c.Schedule.At(epoch, step, c.Epochs, s.train.Steps))
	s.trainStream.Next(s.weight)
	s.weight.Input("lr").Float32s()[0] = lr
	if epoch >= c.AlphaWarmup {
		alpha := s.alpha
		switch {
		case epoch < c.RegWarmup && s.plain.Running != nil:
			alpha = s.plain
		case c.RegEvery > 1 && step%c.RegEvery != 0:
			alpha = s.held
		}
		s.valStream.Next(alpha)
		if alpha.objective.Unrolled {
			alpha.Input("lr").Float32s()[0] = lr
			copy(alpha.Input("train_images").Float32s(), s.weight.Input("images").Float32s())
			copy(alpha.Input("train_labels").Int64s(), s.weight.Input("labels").Int64s())
		}
		if err := s.do(alpha, epoch, step); err != nil {
			return fmt.Errorf("alpha step: %w", err)
		}
		s.sums.ValLoss += float64(alpha.loss[0])
		s.sums.ValCorrect += float64(alpha.correct[0])
		s.sums.ValSteps++
	}
	s.mixNoise(epoch, step)
	if err := s.do(s.weight, epoch, step); err != nil {
		return fmt.Errorf("weight step: %w", err)
	}
	s.sums.Loss += float64(s.weight.loss[0])
	s.sums.Correct += float64(s.weight.correct[0])
	s.sums.Steps++
	n := float64(s.sums.Steps)
	s.progress.Step(epoch, step, s.sums.Loss/n, s.sums.Correct/n/float64(c.Batch))
	return nil
}

// Sizes of the perturbation of the architecture weights at the first epoch and behind the last, from the public code of SDARTS.
const firstMix, lastMix = 0.03, 0.3

// mixStep is the first address of the noise on architecture weights; addresses below are those of images.
const mixStep = 1 << 24

// mixNoise draws the perturbation of the architecture weights of a weight step.
func (s *searcher) mixNoise(epoch, step int) {
	if !s.weight.objective.Mix.On() {
		return
	}
	size := float32(firstMix + (lastMix-firstMix)*float64(epoch)/float64(s.config.Epochs))
	draw := rng.New(s.config.Seed, rng.Noise, epoch, mixStep+step, 0)
	draw.FillUniform(s.weight.Input("mix_noise").Float32s(), -size, size)
	if s.weight.mixSize != nil {
		s.weight.mixSize[0] = size
	}
}

// Length of the perturbation of the regularizer curvature: it grows by 0.3 an epoch up to 1.5, as in the public code of AdvRush.
const curvatureGrowth, curvatureLength = 0.3, 1.5

// do runs a program on its inputs and accounts for the regularizer.
func (s *searcher) do(l level, epoch, step int) error {
	if l.lambda != nil {
		l.lambda[0] = float32(s.sums.Lambda)
	}
	if l.size != nil {
		l.size[0] = float32(min(curvatureGrowth*float64(epoch-s.config.RegWarmup), curvatureLength))
	}
	if err := l.Step(); err != nil {
		return err
	}
	s.sums.Passes += int64(l.objective.Passes())
	ce, reg := float64(l.loss[0]), 0.0
	if l.reg != nil {
		reg = float64(l.reg[0])
	}
	if sum := ce + reg; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return fmt.Errorf("%w: epoch %d, step %d: cross-entropy %v, regularizer %v", ErrDiverged, epoch+1, step+1, ce, reg)
	}
	if l.found != nil {
		s.sums.Lambda = float64(l.found[0])
	}
	if l.normReg != nil {
		n, r := float64(l.normCE[0]), s.sums.Lambda*float64(l.normReg[0])
		s.sums.NormCE += n
		s.sums.NormReg += float64(l.normReg[0])
		if n+r > 0 {
			s.sums.Shares += r / (n + r)
		}
		s.sums.Cosine += float64(l.cosine[0])
		s.sums.NormSteps++
	}
	if l.reg == nil {
		return nil
	}
	s.sums.Reg += reg
	s.sums.Scaled += s.sums.Lambda * reg
	s.sums.CE += ce
	s.sums.RegSteps++
	if s.config.Balance.Kind == Ratio {
		s.sums.Lambda = adjust(s.sums.Lambda, ce, reg, s.config.Balance.Value)
	}
	return nil
}

// end closes an epoch.
func (s *searcher) end(_ context.Context, epoch int, seconds float64) (any, error) {
	c, now, alphas := s.config, s.sums, s.alphas()
	g, err := Derive(alphas, c.Super)
	if err != nil {
		return nil, err
	}
	if err := s.record.Append(alphaRecord(epoch, c, alphas)); err != nil {
		return nil, err
	}
	images := float64(c.Batch)
	r := Epoch{
		Epoch: epoch + 1, Seconds: seconds, Passes: now.Passes, Genotype: g.String(), Skips: skips(g),
		Loss: now.Loss / float64(now.Steps), Accuracy: now.Correct / float64(now.Steps) / images,
		LR: c.Schedule.At(epoch, s.train.Steps-1, c.Epochs, s.train.Steps),
	}
	rows := Weights(alphas, c.Super)
	r.Entropy, r.Undecided = entropy(rows), undecided(rows, c.Super.Primitives)
	line := fmt.Sprintf("search epoch %d/%d  %.1fs  loss %.4f  accuracy %.4f", r.Epoch, c.Epochs, seconds, r.Loss, r.Accuracy)
	if n := float64(now.ValSteps); n > 0 {
		r.ValLoss, r.ValAccuracy = ptr(now.ValLoss/n), ptr(now.ValCorrect/n/images)
		line += fmt.Sprintf("  validation %.4f", *r.ValAccuracy)
	}
	if n := float64(now.RegSteps); n > 0 {
		r.Reg, r.RegOverCE, r.Lambda = ptr(now.Reg/n), ptr(now.Scaled/now.CE), ptr(now.Lambda)
		line += fmt.Sprintf("  R %.3g  lambda %.3g  lambda*R/CE %.3g", *r.Reg, *r.Lambda, *r.RegOverCE)
	}
	if n := float64(now.NormSteps); n > 0 {
		r.NormCE, r.NormReg, r.RegShare, r.Cosine = ptr(now.NormCE/n), ptr(now.NormReg/n), ptr(now.Shares/n), ptr(now.Cosine/n)
		line += fmt.Sprintf("  share %.2f  cosine %.2f", *r.RegShare, *r.Cosine)
	}
	s.progress.Line("%s  entropy %.4f", line, r.Entropy)
	s.sums = sums{Lambda: now.Lambda, Seconds: now.Seconds + seconds, Passes: now.Passes, Curvatures: now.Curvatures, Genotypes: now.Genotypes}
	if g, err = s.stopEarly(epoch, g, &r); err != nil {
		return nil, err
	}
	if r.Stopped != "" {
		s.progress.Line("search: stops after epoch %d: %s", r.Epoch, r.Stopped)
	}
	s.sums.Stopped, s.sums.Warning = r.Stopped, r.Warning(c.Super)
	s.sums.Genotype, err = json.Marshal(g)
	return r, err
}

// stopEarly applies the rules of EarlyStop after an epoch: it fills in the record and returns the genotype of the search so far.
func (s *searcher) stopEarly(epoch int, g genotype.Genotype, r *Epoch) (genotype.Genotype, error) {
	stop := s.config.Stop
	if stop.tooManySkips(g) {
		r.Stopped = fmt.Sprintf("%d skip connections", stop.Skips)
	}
	if s.curvature == nil || s.sums.Seconds < 0 {
		return g, nil
	}
	from := s.alpha
	copy(s.curvature.Input("images").Float32s(), from.Input("images").Float32s())
	copy(s.curvature.Input("labels").Int64s(), from.Input("labels").Int64s())
	value, err := s.curvature.largest(s.config.Seed, epoch)
	if err != nil {
		return g, err
	}
	r.Curvature = &value
	s.sums.Curvatures = append(s.sums.Curvatures, value)
	s.sums.Genotypes = append(s.sums.Genotypes, g.String())
	if r.Stopped == "" && stop.grown(s.sums.Curvatures) {
		r.Stopped = fmt.Sprintf("the curvature has grown by more than %v", stop.Curvature)
		return genotype.Parse(s.sums.Genotypes[max(epoch-curvatureWindow, 0)])
	}
	return g, nil
}

// Warning tells what a genotype is worth whose architecture weights are all but equal after the epoch; "" if they are not.
func (r Epoch) Warning(net lower.Supernet) string {
	most, edges := math.Log(float64(len(net.Primitives))), net.Kinds()*net.Edges()
	if r.Entropy < 0.99*most && r.Undecided < edges {
		return ""
	}
	return fmt.Sprintf("the search learnt little: entropy %.4f of at most %.4f, %d of %d edges undecided; the genotype is hardly more than chance: raise --epochs, --steps or --alpha-lr",
		r.Entropy, most, r.Undecided, edges)
}

func ptr(v float64) *float64 { return &v }

// EpochAlphas is a line of AlphasFile: the architecture parameters after an epoch, by edge and primitive.
// Reduce is absent where the space has one kind of cell.
type EpochAlphas struct {
	Epoch  int         `json:"epoch"`
	Normal [][]float32 `json:"normal"`
	Reduce [][]float32 `json:"reduce,omitempty"`
}

func alphaRecord(epoch int, c Config, alphas []float32) EpochAlphas {
	rows := edgeRows(alphas, c.Super)
	return EpochAlphas{epoch + 1, rows[:c.Super.Edges()], rows[c.Super.Edges():]}
}
