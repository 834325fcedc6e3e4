package picture

import (
	"bytes"
	"fmt"
	"strconv"
)

// pnm is the header of a portable bitmap, graymap or pixmap (Netpbm), and what follows it.
type pnm struct {
	Config
	kind byte // '1' to '6'
	most int  // value of white
	rest []byte
}

func isPNM(data []byte) bool {
	return len(data) > 2 && data[0] == 'P' && data[1] >= '1' && data[1] <= '6' && (space(data[2]) || data[2] == '#')
}

func space(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// word takes the next word and the white space before it, comments left out.
func (p *pnm) word() string {
	for len(p.rest) > 0 && (space(p.rest[0]) || p.rest[0] == '#') {
		n := 1
		if p.rest[0] == '#' {
			if n = bytes.IndexByte(p.rest, '\n'); n < 0 {
				n = len(p.rest)
			}
		}
		p.rest = p.rest[n:]
	}
	n := 0
	for n < len(p.rest) && !space(p.rest[n]) && p.rest[n] != '#' {
		n++
	}
	word := string(p.rest[:min(n, 20)])
	p.rest = p.rest[n:]
	return word
}

func (p *pnm) number(what string, least, most int) (int, error) {
	word := p.word()
	n, err := strconv.Atoi(word)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("pnm: %s: expected %d to %d, found %q", what, least, most, word)
	}
	return n, nil
}

func readPNM(data []byte) (p pnm, err error) {
	p = pnm{kind: data[1], most: 1, rest: data[2:]}
	p.Grey = p.kind != '3' && p.kind != '6'
	if p.Width, err = p.number("width", 1, maxSide); err != nil {
		return p, err
	}
	if p.Height, err = p.number("height", 1, maxSide); err != nil {
		return p, err
	}
	if p.kind != '1' && p.kind != '4' {
		if p.most, err = p.number("largest value", 1, 1<<16-1); err != nil {
			return p, err
		}
	}
	p.Deep = p.Grey && p.most > 255
	if p.kind > '3' && len(p.rest) > 0 {
		p.rest = p.rest[1:] // the white space after the header
	}
	return p, nil
}

func pnmConfig(data []byte) (Config, error) {
	p, err := readPNM(data)
	return p.Config, err
}

// decodePNM reads an image of any of the six kinds. Values are scaled to 255, rounded to the nearest; deep ones as
// Pillow does it, to 65535 and cut off at 255.
func decodePNM(data []byte) (*Image, error) {
	p, err := readPNM(data)
	if err != nil {
		return nil, err
	}
	area, channels := p.Width*p.Height, 3
	if p.Grey {
		channels = 1
	}
	row := p.Width * channels // bytes, of the kinds that are not text
	switch {
	case p.kind == '4':
		row = (p.Width + 7) / 8
	case p.most > 255:
		row *= 2
	}
	need := p.Height * row
	if p.kind <= '3' {
		need = area * channels
	}
	if len(p.rest) < need {
		return nil, fmt.Errorf("pnm: %dx%d pixels need at least %d bytes, found %d: truncated", p.Width, p.Height, need, len(p.rest))
	}
	m := &Image{Config: p.Config, Pix: make([]uint8, area*channels)}
	for i := range m.Pix {
		v, err := p.value(i, row)
		if err != nil {
			return nil, err
		}
		white := 255
		if p.Deep {
			white = 1<<16 - 1
		}
		m.Pix[i%channels*area+i/channels] = uint8(min(255, (2*white*v+p.most)/(2*p.most)))
	}
	return m, nil
}

// value is value number i in the order of the file, rows of that many bytes.
func (p *pnm) value(i, row int) (int, error) {
	switch {
	case p.kind == '1':
		for len(p.rest) > 0 && p.rest[0] != '0' && p.rest[0] != '1' {
			p.rest = p.rest[1:]
		}
		if len(p.rest) == 0 {
			return 0, fmt.Errorf("pnm: pixel %d: found the end of the file: truncated", i)
		}
		v := int('1' - p.rest[0]) // 1 is black
		p.rest = p.rest[1:]
		return v, nil
	case p.kind <= '3':
		return p.number("value "+strconv.Itoa(i), 0, p.most)
	case p.kind == '4':
		return 1 - int(p.rest[i/p.Width*row+i%p.Width/8]>>(7-i%p.Width%8)&1), nil
	case p.most > 255:
		return min(p.most, int(p.rest[2*i])<<8|int(p.rest[2*i+1])), nil
	}
	return min(p.most, int(p.rest[i])), nil
}
