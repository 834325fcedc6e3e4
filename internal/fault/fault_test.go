package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestInput(t *testing.T) {
	err := fmt.Errorf("flag: %w", Inputf("file: %w", io.EOF))
	if !IsInput(err) || !errors.Is(err, io.EOF) || err.Error() != "flag: file: EOF" {
		t.Errorf("found %v, marked %v", err, IsInput(err))
	}
	if Input(nil) != nil || IsInput(nil) || IsInput(io.EOF) {
		t.Error("an error is marked that is not one of the input")
	}
}
