package rng

// Multipliers and Weyl increments of Philox4x32 (Salmon et al. 2011, section 4.3; Random123 philox.h).
const (
	mul0  = 0xD2511F53
	mul1  = 0xCD9E8D57
	weyl0 = 0x9E3779B9
	weyl1 = 0xBB67AE85
)

// philox is Philox4x32-10: the bijection of the 128-bit counter (c0, c1, c2, c3) selected by the 64-bit key (k0, k1).
// The ten rounds are written out so that the round keys are constants added to the key and no loop counter is kept.
func philox(c0, c1, c2, c3, k0, k1 uint32) (r0, r1, r2, r3 uint32) {
	var a, b uint64

	a, b = mul0*uint64(c0), mul1*uint64(c2)
	c0, c1, c2, c3 = uint32(b>>32)^c1^k0, uint32(b), uint32(a>>32)^c3^k1, uint32(a)
	k0, k1 = k0+weyl0, k1+weyl1
	a, b = mul0*uint64(c0), mul1*uint64(c2)
	c0, c1, c2, c3 = uint32(b>>32)^c1^k0, uint32(b), uint32(a>>32)^c3^k1, uint32(a)
	k0, k1 = k0+weyl0, k1+weyl1
	a, b = mul0*uint64(c0), mul1*uint64(c2)
	c0, c1, c2, c3 = uint32(b>>32)^c1^k0, uint32(b), uint32(a>>32)^c3^k1, uint32(a)
	k0, k1 = k0+weyl0, k1+weyl1
	a, b = mul0*uint64(c0), mul1*uint64(c2)
	c0, c1, c2, c3 = uint32(b>>32)^c1^k0, uint32(b), uint32(a>>32)^c3^k1, uint32(a)
	k0, k1 = k0+weyl0, k1+weyl1
	a, b = mul0*uint64(c0), mul1*uint64(c2)
	c0, c1, c2, c3 = uint32(b>>32)^c1^k0, uint32(b), uint32(a>>32)^c3^k1, uint32(a)
	k0, k1 = k0+weyl0, k1+weyl1
	a, b = mul0*uint64(c0), mul1*uint64(c2)
	c0, c1, c2, c3 = uint32(b>>32)^c1^k0, uint32(b), uint32(a>>32)^c3^k1, uint32(a)
	k0, k1 = k0+weyl0, k1+weyl1
	a, b = mul0*uint64(c0), mul1*uint64(c2)
	c0, c1, c2, c3 = uint32(b>>32)^c1^k0, uint32(b), uint32(a>>32)^c3^k1, uint32(a)
	k0, k1 = k0+weyl0, k1+weyl1
	a, b = mul0*uint64(c0), mul1*uint64(c2)
	c0, c1, c2, c3 = uint32(b>>32)^c1^k0, uint32(b), uint32(a>>32)^c3^k1, uint32(a)
	k0, k1 = k0+weyl0, k1+weyl1
	a, b = mul0*uint64(c0), mul1*uint64(c2)
	c0, c1, c2, c3 = uint32(b>>32)^c1^k0, uint32(b), uint32(a>>32)^c3^k1, uint32(a)
	k0, k1 = k0+weyl0, k1+weyl1
	a, b = mul0*uint64(c0), mul1*uint64(c2)
	return uint32(b>>32) ^ c1 ^ k0, uint32(b), uint32(a>>32) ^ c3 ^ k1, uint32(a)
}
