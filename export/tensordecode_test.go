package export

import (
	"strings"
	"testing"

	"rnas/internal/tensor"
)

// TestPackedTensors decodes elements of less than 8 bits, which the typed field holds by the byte.
func TestPackedTensors(t *testing.T) {
	decode := func(pairs ...any) (*tensor.Tensor, error) { return ReadTensor(proto(pairs...).concat()) }
	got, err := decode(tensorDims, 3, tensorType, int(tensor.Int4), tensorInt32s, 0x78, tensorInt32s, 0x0f)
	if want := tensor.Vector[tensor.I4](-8, 7, -1); err != nil || !tensor.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	got, err = decode(tensorDims, 2, tensorType, int(tensor.Float8E5M2), tensorInt32s, 0x3c, tensorInt32s, 0x80)
	if want := tensor.Vector[tensor.E5M2](0x3c, 0x80); err != nil || !tensor.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for want, pairs := range map[string][]any{
		"int4[3] needs 2 bytes, found 1":        {tensorDims, 3, tensorType, int(tensor.Int4), tensorInt32s, 1},
		"1 numbers of packed int4 are no bytes": {tensorDims, 2, tensorType, int(tensor.Int4), tensorInt32s, 256},
		"1 elements are outside the range of":   {tensorDims, 1, tensorType, int(tensor.Float8E4M3FN), tensorInt32s, 256},
	} {
		if _, err := decode(pairs...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
