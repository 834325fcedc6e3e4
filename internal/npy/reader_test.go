package npy

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"rnas/internal/tensor"
)

// TestReader expects the bytes that Decode finds, and the errors that Decode has for files cut at any place.
func TestReader(t *testing.T) {
	want := tensor.Of([]int64{3, 2}, int32(1), 2, 3, -4, 5, 1<<30)
	var file bytes.Buffer
	if err := Encode(&file, want); err != nil {
		t.Fatal(err)
	}
	data := file.Bytes()
	r, err := NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	found := make([]byte, 8)
	if _, err := r.ReadAt(found, 12); err != nil || !bytes.Equal(found, tensor.Bytes(want)[12:20]) {
		t.Errorf("expected %v, found %v, %v", tensor.Bytes(want)[12:20], found, err)
	}
	if _, err := r.ReadAt(found, 20); err != io.EOF {
		t.Errorf("behind the last element: expected EOF, found %v", err)
	}
	if r.DType != tensor.Int32 || len(r.Shape) != 2 || r.Shape[0] != 3 || r.Shape[1] != 2 {
		t.Errorf("expected int32[3 2], found %v%v", r.DType, r.Shape)
	}
	for n := range data {
		if _, err := NewReader(bytes.NewReader(data[:n]), int64(n)); err == nil {
			t.Fatalf("cut to %d bytes: expected an error", n)
		}
		if _, err := NewReader(bytes.NewReader(data[:n]), int64(len(data))); n < 100 && err == nil {
			t.Fatalf("%d bytes of %d: expected an error", n, len(data))
		}
	}
	for _, c := range [][2]string{{"False", "True "}, {"<i4", ">i4"}, {"(3, 2)", "(9, 9)"}, {"(3, 2)", "(-3,2)"}} {
		changed := bytes.Replace(data, []byte(c[0]), []byte(c[1]), 1)
		if _, err := NewReader(bytes.NewReader(changed), int64(len(changed))); err == nil || !strings.Contains(err.Error(), "npy") {
			t.Errorf("%s for %s: expected an error, found %v", c[1], c[0], err)
		}
	}
}
