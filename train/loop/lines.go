package loop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"rnas/internal/atomicfile"
)

// Lines is a file of JSON objects, one a line, appended to.
type Lines struct {
	file *os.File
}

// OpenLines opens a file for appending behind its first keep lines; what follows them is cut off, and so is a line without
// an end.
func OpenLines(path string, keep int) (*Lines, error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	end := 0
	for range keep {
		i := bytes.IndexByte(data[end:], '\n')
		if i < 0 {
			break
		}
		end += i + 1
	}
	if end != len(data) {
		if err := atomicfile.WriteBytes(path, data[:end]); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &Lines{f}, nil
}

// ReadLines calls f for each line of a file of JSON objects; line is valid until f returns. A last line that is not JSON is being
// written, and left out. Errors name the file, and the line of other text or of an error of f, from 1.
func ReadLines(path string, f func(line []byte) error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	for n, line := range lines {
		rest := lines[n+1:]
		switch last := len(rest) == 0 || len(rest) == 1 && len(rest[0]) == 0; {
		case len(line) == 0 || !json.Valid(line) && last:
			return nil
		case !json.Valid(line):
			return fmt.Errorf("%s: line %d: expected a JSON object", path, n+1)
		}
		if err := f(line); err != nil {
			return fmt.Errorf("%s: line %d: %w", path, n+1, err)
		}
	}
	return nil
}

// Empty reports whether the file has no lines.
func (l *Lines) Empty() (bool, error) {
	info, err := l.file.Stat()
	if err != nil {
		return false, err
	}
	return info.Size() == 0, nil
}

// Append adds a line.
func (l *Lines) Append(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", l.file.Name(), err)
	}
	_, err = l.file.Write(append(data, '\n'))
	return err
}

// Close closes the file.
func (l *Lines) Close() error { return l.file.Close() }
