package genotype

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scanner reads the tokens of a small Python subset: identifiers, integers, plain strings, lists and tuples.
// Every read skips leading white space and # comments.
type scanner struct {
	text string
	pos  int
}

// errorf places an error at the current offset in bytes.
func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("offset %d: %s", s.pos, fmt.Sprintf(format, args...))
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		case '#':
			line := strings.IndexByte(s.text[s.pos:], '\n')
			if line < 0 {
				line = len(s.text) - s.pos
			}
			s.pos += line
		default:
			return
		}
	}
}

// found describes the next token for an error.
func (s *scanner) found() string {
	s.space()
	if s.pos == len(s.text) {
		return "the end of the text"
	}
	ahead := *s
	if word := ahead.word(); word != "" {
		return strconv.Quote(abbreviate(word))
	}
	r, _ := utf8.DecodeRuneInString(s.text[s.pos:])
	return strconv.Quote(string(r))
}

func (s *scanner) accept(token string) bool {
	s.space()
	if !strings.HasPrefix(s.text[s.pos:], token) {
		return false
	}
	s.pos += len(token)
	return true
}

func (s *scanner) expect(token string) error {
	if !s.accept(token) {
		return s.errorf("expected %q, found %s", token, s.found())
	}
	return nil
}

// word reads an identifier; it is empty if there is none.
func (s *scanner) word() string {
	s.space()
	end := s.pos
	for end < len(s.text) && (isLetter(s.text[end]) || end > s.pos && isDigit(s.text[end])) {
		end++
	}
	word := s.text[s.pos:end]
	s.pos = end
	return word
}

func (s *scanner) integer() (int, error) {
	s.space()
	end := s.pos
	if end < len(s.text) && s.text[end] == '-' {
		end++
	}
	for end < len(s.text) && isDigit(s.text[end]) {
		end++
	}
	// 32 bits keep the difference of two integers exact.
	n, err := strconv.ParseInt(s.text[s.pos:end], 10, 32)
	if err != nil {
		if end > s.pos+1 {
			return 0, s.errorf("integer %s does not fit 32 bits", abbreviate(s.text[s.pos:end]))
		}
		return 0, s.errorf("expected an integer, found %s", s.found())
	}
	s.pos = end
	return int(n), nil
}

// quoted reads a string in single or double quotes, without escapes.
func (s *scanner) quoted() (string, error) {
	s.space()
	if s.pos == len(s.text) || s.text[s.pos] != '\'' && s.text[s.pos] != '"' {
		return "", s.errorf("expected a quoted primitive, found %s", s.found())
	}
	body := s.text[s.pos+1:]
	end := strings.IndexAny(body, s.text[s.pos:s.pos+1]+"\n")
	if end < 0 || body[end] == '\n' {
		return "", s.errorf("string has no closing quote")
	}
	s.pos += 1 + end + 1
	return body[:end], nil
}

// open reads "[" or "(" and returns its closing counterpart.
func (s *scanner) open() (closer string, err error) {
	switch {
	case s.accept("["):
		return "]", nil
	case s.accept("("):
		return ")", nil
	}
	return "", s.errorf("expected a list or a tuple, found %s", s.found())
}

// sequence reads a list or tuple of items; a comma may follow the last one.
func sequence[T any](s *scanner, item func() (T, error)) ([]T, error) {
	closer, err := s.open()
	if err != nil {
		return nil, err
	}
	var items []T
	for !s.accept(closer) {
		x, err := item()
		if err != nil {
			return nil, err
		}
		items = append(items, x)
		if !s.accept(",") {
			return items, s.expect(closer)
		}
	}
	return items, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
