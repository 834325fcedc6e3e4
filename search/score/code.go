package score

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"rnas/compiler/program"
)

// coded reports whether a score reads Relu codes.
func (c Config) coded() bool {
	return slices.Contains(c.Scores, "naswot") || slices.Contains(c.Scores, "swap")
}

// smallestEigenvalue stands for all smaller ones of NASWOT's kernel, which is singular where two images have the same code.
const smallestEigenvalue = 1e-6

// naswot is log det K of the kernel K of equal codes [B,B] (Mellor et al., Neural Architecture Search without Training, ICML 2021,
// section 3).
func naswot(s *subject) (float64, error) {
	r, err := s.atLoss()
	if err != nil {
		return 0, err
	}
	return logDeterminant(s.Batch, float64s(r.kernel)), nil
}

// logDeterminant of a symmetric matrix [n,n] without negative eigenvalues.
func logDeterminant(n int, matrix []float64) float64 {
	sum := 0.0
	for _, v := range eigenvalues(n, matrix) {
		sum += math.Log(max(v, smallestEigenvalue))
	}
	return sum
}

// swap is the number of distinct columns of the matrix of all codes [B,U] (Peng et al., SWAP-NAS, ICLR 2024, definition 3.3).
func swap(s *subject) (float64, error) {
	r, err := s.atLoss()
	if err != nil {
		return 0, err
	}
	words := (s.Batch + program.WordBits - 1) / program.WordBits
	units := len(r.words) / words
	seen := map[string]struct{}{}
	pattern := make([]byte, 2*words)
	for u := range units {
		for w := range words {
			v := uint16(r.words[w*units+u])
			pattern[2*w], pattern[2*w+1] = byte(v), byte(v>>8)
		}
		seen[string(pattern)] = struct{}{}
	}
	return float64(len(seen)), nil
}

// jacovOffset is the k of jacov.
const jacovOffset = 1e-5

// jacov is -sum(log(v+k) + 1/(v+k)) over the eigenvalues v of the correlation of the images' gradients of the sum of all logits, k =
// 1e-5 (Mellor et al. 2020, arXiv:2006.04647v1, section 3; Abdelfattah et al. 2021, section 3.4).
func jacov(s *subject) (float64, error) {
	r, err := s.atSum()
	if err != nil {
		return 0, err
	}
	return spread(s.Batch, float64s(r.gradImages)), nil
}

// spread is jacov of the gradients of n images, which it overwrites.
func spread(n int, gradients []float64) float64 {
	sum := 0.0
	for _, v := range eigenvalues(n, correlations(gradients, n)) {
		sum -= math.Log(v+jacovOffset) + 1/(v+jacovOffset)
	}
	return sum
}

// correlations are Pearson's of n rows of x, which it overwrites, [n,n]. A constant row tells no image from another: it correlates to 1 with all.
func correlations(x []float64, n int) []float64 {
	width := len(x) / n
	for row := range slices.Chunk(x, width) {
		mean, squares := 0.0, 0.0
		for _, v := range row {
			mean += v / float64(width)
		}
		for i := range row {
			row[i] -= mean
			squares += row[i] * row[i]
		}
		if squares == 0 {
			row[0] = math.NaN()
			continue
		}
		for i := range row {
			row[i] /= math.Sqrt(squares)
		}
	}
	out := make([]float64, n*n)
	for i := range n {
		for j := range i + 1 {
			sum := 0.0
			a, b := x[i*width:(i+1)*width], x[j*width:(j+1)*width]
			for k, v := range a {
				sum += v * b[k]
			}
			if i == j || math.IsNaN(sum) {
				sum = 1
			}
			out[i*n+j], out[j*n+i] = sum, sum
		}
	}
	return out
}

// eigenvalues are those of a symmetric matrix [n,n], which are not negative but for rounding.
func eigenvalues(n int, matrix []float64) []float64 {
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(n, matrix), false) {
		panic("score: the eigenvalues of a symmetric matrix did not converge")
	}
	values := e.Values(nil)
	for i, v := range values {
		values[i] = max(v, 0)
	}
	return values
}

func float64s(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
