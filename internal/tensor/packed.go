package tensor

import "fmt"

// Pack returns the bytes of a numeric tensor as files hold them: little-endian, elements of less than 8 bits packed
// from the low bits of each byte up. The bytes may share the memory of t.
func Pack(t *Tensor) []byte {
	bits := t.DType().Bits()
	data := Bytes(t)
	if bits >= 8 {
		return data
	}
	per := 8 / bits
	out := make([]byte, (len(data)+per-1)/per)
	for i, b := range data {
		out[i/per] |= b & (1<<bits - 1) << (bits * (i % per))
	}
	return out
}

// Unpack makes a tensor of the bytes that a file holds. It is an error if their number does not fit shape. Otherwise
// Unpack allocates at most 4 times the size of content.
func Unpack(t DType, shape []int64, content []byte) (*Tensor, error) {
	n, err := Numel(shape)
	if err != nil {
		return nil, err
	}
	bits := t.Bits()
	if bits == 0 {
		return nil, fmt.Errorf("%s has no raw form", t)
	}
	if size := (n*bits + 7) / 8; size != len(content) {
		return nil, fmt.Errorf("%s%v needs %d bytes, found %d", t, shape, size, len(content))
	}
	out := Zeros(t, shape...)
	if d, ok := out.Data.([]bool); ok {
		for i, b := range content {
			d[i] = b != 0
		}
		return out, nil
	}
	data := Bytes(out)
	if bits >= 8 {
		copy(data, content)
		return out, nil
	}
	per := 8 / bits
	for i := range data {
		b := content[i/per] >> (bits * (i % per)) & (1<<bits - 1)
		if t == Int4 || t == Int2 {
			b = byte(signed(int64(b), bits))
		}
		data[i] = b
	}
	return out, nil
}
