package rng

import "math"

// boxMuller maps two uniform words to two independent standard normal numbers (Box and Muller 1958). Its elementary
// functions are polynomials with an absolute error below 1e-8, written so that products are rounded before they are
// added: the result has the same bits on every architecture, with or without fused multiply-add.
func boxMuller(u, v uint32) (x, y float64) {
	r := math.Sqrt(-2 * logUnit(u))
	sin, cos := sinCosTurn(v)
	return r * cos, r * sin
}

// logUnit returns ln((w + 1/2) / 2^32).
func logUnit(w uint32) float64 {
	// The word is 2^exponent m with m in [sqrt(1/2), sqrt(2)); split without a branch, as the side is a coin toss.
	const sqrtHalf = 0x3FE6A09E667F3BCD
	b := math.Float64bits(float64(w) + 0.5)
	exponent := int64(b-sqrtHalf) >> 52
	m := math.Float64frombits(b - uint64(exponent)<<52)
	// ln m = 2 artanh(t), t = (m-1)/(m+1), |t| < 0.172.
	t := (m - 1) / (m + 1)
	t2 := float64(t * t)
	p := float64(t2*(1.0/11)) + 1.0/9
	p = float64(t2*p) + 1.0/7
	p = float64(t2*p) + 1.0/5
	p = float64(t2*p) + 1.0/3
	p = float64(t2*p) + 1
	return float64(2*t*p) + float64(float64(exponent-32)*math.Ln2)
}

// sinCosTurn returns the sine and cosine of 2 pi w / 2^32, reduced exactly to the nearest quarter turn.
func sinCosTurn(w uint32) (sin, cos float64) {
	quarter := (w + 1<<29) >> 30
	z := float64(int32(w-quarter<<30)) * (2 * math.Pi / (1 << 32)) // |z| <= pi/4
	z2 := float64(z * z)
	sin = float64(z2*(1.0/362880)) - 1.0/5040
	sin = float64(z2*sin) + 1.0/120
	sin = float64(z2*sin) - 1.0/6
	sin = float64(z*z2*sin) + z
	cos = 1.0/40320 - float64(z2*(1.0/3628800))
	cos = float64(z2*cos) - 1.0/720
	cos = float64(z2*cos) + 1.0/24
	cos = float64(z2*cos) - 0.5
	cos = float64(z2*cos) + 1
	// Odd quarters swap the two; the signs follow the quadrant.
	q, sinBits, cosBits := uint64(quarter), math.Float64bits(sin), math.Float64bits(cos)
	swap := (sinBits ^ cosBits) & -(q & 1)
	sin = math.Float64frombits(sinBits ^ swap ^ q>>1<<63)
	cos = math.Float64frombits(cosBits ^ swap ^ (q^q>>1)<<63)
	return sin, cos
}
