package jpeg

import "fmt"

// huffman is a code of T.81, annex C.
type huffman struct {
	short  [256]uint16 // by the next 8 bits: length<<8 | value of a code of at most 8 bits, 0 for a longer one
	first  [17]int32   // by length: the first code
	count  [17]int32   // by length: the number of codes
	offset [17]int32   // by length: the place of the value of the first code
	values []byte
}

// huffmanTables reads the codes of a segment (T.81, B.2.4.2).
func (d *decoder) huffmanTables(s []byte) error {
	for len(s) > 0 {
		if len(s) < 17 || s[0]>>4 > 1 || s[0]&15 > 3 {
			return fmt.Errorf("jpeg: Huffman table of %d bytes: expected a class 0 or 1, a table 0 to 3 and 16 counts", len(s))
		}
		h, n := &huffman{}, 0
		for i := 1; i <= 16; i++ {
			h.count[i] = int32(s[i])
			n += int(s[i])
		}
		if n > 256 || len(s) < 17+n {
			return fmt.Errorf("jpeg: Huffman table of %d codes in %d bytes", n, len(s)-17)
		}
		h.values = s[17 : 17+n]
		if err := h.build(); err != nil {
			return err
		}
		if s[0]>>4 == 0 {
			d.dc[s[0]&15] = h
		} else {
			d.ac[s[0]&15] = h
		}
		s = s[17+n:]
	}
	return nil
}

func (h *huffman) build() error {
	code, place := int32(0), int32(0)
	for n := 1; n <= 16; n++ {
		h.first[n], h.offset[n] = code, place
		if code+h.count[n] > 1<<n {
			return fmt.Errorf("jpeg: Huffman table: more codes of %d bits than there are", n)
		}
		for i := int32(0); i < h.count[n] && n <= 8; i++ {
			from := (code + i) << (8 - n)
			for k := range int32(1) << (8 - n) {
				h.short[from+k] = uint16(n)<<8 | uint16(h.values[place+i])
			}
		}
		place += h.count[n]
		code = (code + h.count[n]) << 1
	}
	return nil
}

// bits reads the entropy-coded data of a scan. A stuffed zero after 0xff is left out; a marker ends the data.
type bits struct {
	data []byte
	at   int
	word uint32 // the lowest n bits are next
	n    int
	err  error // of the first read beyond the end
}

// fill makes at least 16 bits ready, or all that there are.
func (b *bits) fill() {
	for b.n <= 24 && b.at < len(b.data) {
		v := b.data[b.at]
		if v == 0xff {
			if b.at+1 >= len(b.data) || b.data[b.at+1] != 0 {
				return
			}
			b.at++
		}
		b.at++
		b.word = b.word<<8 | uint32(v)
		b.n += 8
	}
}

// take reads n bits, at most 16, as a number.
func (b *bits) take(n int) int32 {
	if b.n < n {
		if b.fill(); b.n < n {
			b.fail("expected more data in the scan, found its end: truncated")
			return 0
		}
	}
	b.n -= n
	return int32(b.word >> b.n & (1<<n - 1))
}

func (b *bits) fail(text string) {
	if b.err == nil {
		b.err = fmt.Errorf("jpeg: %s", text)
	}
}

// signed reads n bits of a number as T.81, F.2.2.1 codes it.
func (b *bits) signed(n int) int32 {
	if n == 0 {
		return 0
	}
	v := b.take(n)
	if v < 1<<(n-1) {
		v -= 1<<n - 1
	}
	return v
}

// symbol reads one code.
func (b *bits) symbol(h *huffman) byte {
	if b.n < 16 {
		b.fill()
	}
	if b.n >= 8 {
		if e := h.short[b.word>>(b.n-8)&0xff]; e != 0 {
			b.n -= int(e >> 8)
			return byte(e)
		}
	}
	code := int32(0)
	for n := 1; n <= 16 && b.err == nil; n++ {
		code = code<<1 | b.take(1)
		if i := code - h.first[n]; i >= 0 && i < h.count[n] {
			return h.values[h.offset[n]+i]
		}
	}
	b.fail("found an unknown Huffman code")
	return 0
}
