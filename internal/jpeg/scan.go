package jpeg

import "fmt"

// part is a component in a scan.
type part struct {
	*component
	dc, ac *huffman
	last   int32 // DC coefficient of the block before
}

// scan is the header of a scan with the state of its decoding.
type scan struct {
	bits
	parts      []part
	start, end int // spectral selection
	high, low  int // successive approximation
	run        int // blocks without further coefficients that are left
}

// scan reads a scan header (T.81, B.2.3) and the data after it.
func (d *decoder) scan(s []byte) error {
	if len(s) < 1 || s[0] < 1 || s[0] > 4 || len(s) != 4+2*int(s[0]) {
		return fmt.Errorf("jpeg: scan header of %d bytes", len(s))
	}
	n := int(s[0])
	tail := s[1+2*n:]
	c := scan{bits: bits{data: d.data, at: d.at}, start: int(tail[0]), end: int(tail[1]), high: int(tail[2] >> 4), low: int(tail[2] & 15)}
	if !d.progressive {
		c.start, c.end, c.high, c.low = 0, 63, 0, 0
	}
	if c.start > c.end || c.end > 63 || c.low > 13 || d.progressive && (c.start == 0) != (c.end == 0) || c.start > 0 && n > 1 {
		return fmt.Errorf("jpeg: scan of %d components and the coefficients %d to %d", n, c.start, c.end)
	}
	for i := range n {
		p, err := d.part(s[1+2*i], s[2+2*i], &c)
		if err != nil {
			return err
		}
		c.parts = append(c.parts, p)
	}
	err := d.units(&c)
	d.at = c.at
	return err
}

// part finds the component and the codes of a scan.
func (d *decoder) part(id, tables byte, c *scan) (part, error) {
	for _, other := range c.parts {
		if other.id == id {
			return part{}, fmt.Errorf("jpeg: component %d is twice in a scan", id)
		}
	}
	for i := range d.components {
		k := &d.components[i]
		if k.id != id {
			continue
		}
		p := part{component: k, dc: d.dc[tables>>4&3], ac: d.ac[tables&3]}
		if c.start == 0 && c.high == 0 && p.dc == nil || c.end > 0 && p.ac == nil {
			return part{}, fmt.Errorf("jpeg: component %d: expected a Huffman table, found none", id)
		}
		if q := d.quant[k.table]; q != nil && !k.latched {
			k.quant, k.latched = *q, true
		}
		if !k.latched {
			return part{}, fmt.Errorf("jpeg: component %d: expected the quantisation table %d, found none", id, k.table)
		}
		return p, nil
	}
	return part{}, fmt.Errorf("jpeg: scan of component %d, which the frame lacks", id)
}

// units reads the minimum coded units of a scan: all blocks of a component alone, or as many blocks of each as its sampling factors say.
func (d *decoder) units(c *scan) error {
	across, down := ceil(d.width, 8*d.maxH), ceil(d.height, 8*d.maxV)
	alone := len(c.parts) == 1
	if alone {
		across, down = ceil(c.parts[0].width, 8), ceil(c.parts[0].height, 8)
	}
	for unit := range across * down {
		if d.interval > 0 && unit > 0 && unit%d.interval == 0 {
			if err := c.restart(); err != nil {
				return err
			}
		}
		y, x := unit/across, unit%across
		for i := range c.parts {
			p := &c.parts[i]
			h, v := p.h, p.v
			if alone {
				h, v = 1, 1
			}
			for k := range h * v {
				at := (y*v+k/h)*p.across + x*h + k%h
				c.block(d.progressive, p, (*[64]int16)(p.blocks[64*at:]))
			}
		}
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

// restart passes a restart marker.
func (c *scan) restart() error {
	c.n = 0
	for c.at+1 < len(c.data) && c.data[c.at] == 0xff && c.data[c.at+1] == 0xff {
		c.at++
	}
	if c.at+1 >= len(c.data) || c.data[c.at] != 0xff || c.data[c.at+1] < rst0 || c.data[c.at+1] > rst7 {
		return fmt.Errorf("jpeg: expected a restart marker at byte %d, found none", c.at)
	}
	c.at += 2
	c.run = 0
	for i := range c.parts {
		c.parts[i].last = 0
	}
	return nil
}

// block reads what a scan has of one block.
func (c *scan) block(progressive bool, p *part, b *[64]int16) {
	switch {
	case !progressive:
		c.dc(p, b)
		c.sequential(p, b)
	case c.start == 0 && c.high == 0:
		c.dc(p, b)
	case c.start == 0:
		b[0] |= int16(c.take(1) << c.low)
	case c.high == 0:
		c.first(p, b)
	default:
		c.refine(p, b)
	}
}

func (c *scan) dc(p *part, b *[64]int16) {
	n := int(c.symbol(p.dc))
	if n > 15 {
		c.fail("found a DC difference of more than 15 bits")
		return
	}
	p.last += c.signed(n)
	b[0] = int16(p.last << c.low)
}

// sequential reads the AC coefficients of a block (T.81, F.2.2.2).
func (c *scan) sequential(p *part, b *[64]int16) {
	for k := 1; k < 64 && c.err == nil; k++ {
		symbol := c.symbol(p.ac)
		zeros, n := int(symbol>>4), int(symbol&15)
		if n == 0 {
			if zeros < 15 {
				return
			}
			k += 15
			continue
		}
		if k += zeros; k > 63 {
			c.fail("found more than 64 coefficients in a block")
			return
		}
		b[natural[k]] = int16(c.signed(n))
	}
}

// first reads the leading bits of the AC coefficients of a block (T.81, G.1.2.2).
func (c *scan) first(p *part, b *[64]int16) {
	if c.run > 0 {
		c.run--
		return
	}
	for k := c.start; k <= c.end && c.err == nil; k++ {
		symbol := c.symbol(p.ac)
		zeros, n := int(symbol>>4), int(symbol&15)
		if n == 0 {
			if zeros < 15 {
				c.run = 1<<zeros + int(c.take(zeros)) - 1
				return
			}
			k += 15
			continue
		}
		if k += zeros; k > 63 {
			c.fail("found more than 64 coefficients in a block")
			return
		}
		b[natural[k]] = int16(c.signed(n) << c.low)
	}
}

// refine reads one more bit of the AC coefficients of a block (T.81, G.1.2.3).
func (c *scan) refine(p *part, b *[64]int16) {
	k, bit := c.start, int16(1)<<c.low
	for ; k <= c.end && c.run == 0 && c.err == nil; k++ {
		symbol := c.symbol(p.ac)
		zeros, fresh := int(symbol>>4), int16(0)
		switch {
		case symbol&15 > 0 && c.take(1) == 1:
			fresh = bit
		case symbol&15 > 0:
			fresh = -bit
		case zeros < 15:
			c.run = 1<<zeros + int(c.take(zeros))
		}
		if c.run > 0 {
			break
		}
		for ; k <= c.end; k++ {
			v := &b[natural[k]]
			if *v == 0 {
				if zeros--; zeros < 0 {
					*v = fresh
					break
				}
				continue
			}
			c.correct(v, bit)
		}
	}
	if c.run > 0 {
		for ; k <= c.end; k++ {
			if v := &b[natural[k]]; *v != 0 {
				c.correct(v, bit)
			}
		}
		c.run--
	}
}

// correct reads a bit of a coefficient that is not zero.
func (c *scan) correct(v *int16, bit int16) {
	if c.take(1) == 0 || *v&bit != 0 {
		return
	}
	if *v > 0 {
		*v += bit
	} else {
		*v -= bit
	}
}
