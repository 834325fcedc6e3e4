package jpeg

// Constants of jidctint.c in fixed point with 13 bits after the point.
const (
	fix0_298631336 = 2446
	fix0_390180644 = 3196
	fix0_541196100 = 4433
	fix0_765366865 = 6270
	fix0_899976223 = 7373
	fix1_175875602 = 9633
	fix1_501321110 = 12299
	fix1_847759065 = 15137
	fix1_961570560 = 16069
	fix2_053119869 = 16819
	fix2_562915447 = 20995
	fix3_072711026 = 25172

	constBits = 13
	passBits  = 2 // of precision that the first pass keeps
)

// inverse writes the samples of a block to out, rows of stride bytes (jidctint.c of libjpeg, after Loeffler, Ligtenberg and Moschytz 1989).
func inverse(block *[64]int16, quant *[64]int32, out []uint8, stride int) {
	var w [64]int32
	for i := range w {
		w[i] = int32(block[i]) * quant[i]
	}
	for x := range 8 {
		column := (*[57]int32)(w[x:])
		butterfly(&column[0], &column[8], &column[16], &column[24], &column[32], &column[40], &column[48], &column[56], constBits-passBits)
	}
	for y := range 8 {
		row := (*[8]int32)(w[8*y:])
		butterfly(&row[0], &row[1], &row[2], &row[3], &row[4], &row[5], &row[6], &row[7], constBits+passBits+3)
		to := out[y*stride : y*stride+8]
		for x, v := range row {
			to[x] = uint8(max(0, min(255, v+128)))
		}
	}
}

// butterfly transforms 8 values in place and divides them by 2^shift, rounded.
func butterfly(a0, a1, a2, a3, a4, a5, a6, a7 *int32, shift int) {
	z1 := (*a2 + *a6) * fix0_541196100
	t2, t3 := z1-*a6*fix1_847759065, z1+*a2*fix0_765366865
	t0, t1 := (*a0+*a4)<<constBits, (*a0-*a4)<<constBits
	e0, e3, e1, e2 := t0+t3, t0-t3, t1+t2, t1-t2

	t0, t1, t2, t3 = *a7, *a5, *a3, *a1
	z1, z2, z3, z4 := t0+t3, t1+t2, t0+t2, t1+t3
	z5 := (z3 + z4) * fix1_175875602
	z1, z2 = -z1*fix0_899976223, -z2*fix2_562915447
	z3, z4 = z5-z3*fix1_961570560, z5-z4*fix0_390180644
	t0 = t0*fix0_298631336 + z1 + z3
	t1 = t1*fix2_053119869 + z2 + z4
	t2 = t2*fix3_072711026 + z2 + z3
	t3 = t3*fix1_501321110 + z1 + z4

	half := int32(1) << (shift - 1)
	*a0, *a7 = (e0+t3+half)>>shift, (e0-t3+half)>>shift
	*a1, *a6 = (e1+t2+half)>>shift, (e1-t2+half)>>shift
	*a2, *a5 = (e2+t1+half)>>shift, (e2-t1+half)>>shift
	*a3, *a4 = (e3+t0+half)>>shift, (e3-t0+half)>>shift
}
