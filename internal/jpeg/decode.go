// Package jpeg decodes JPEG images (ITU-T T.81) to the pixels that libjpeg-turbo gives with its defaults: the integer inverse cosine
// transform of jidctint.c, triangular upsampling of chroma, and the tables of jdcolor.c. It reads baseline, extended sequential and
// progressive images of 8 bits with Huffman codes.
package jpeg

import (
	"encoding/binary"
	"fmt"
)

// Config is what the header of an image tells.
type Config struct {
	Width, Height int
	Grey          bool // one component
}

// Image is a decoded image: Pix [1 or 3, Height, Width], grey or red, green and blue.
type Image struct {
	Config
	Pix []uint8
}

// component is one plane of an image in the frequency domain.
type component struct {
	id, table     byte
	h, v          int     // sampling factors
	width, height int     // samples
	across, down  int     // blocks that are stored, up to whole MCUs
	blocks        []int16 // [down, across, 64], in natural order, before the multiplication by the quantisation table
	quant         [64]int32
	latched       bool // quant is set
}

// maxScans bounds the time of a short file, which can pass over all blocks in each scan.
const maxScans = 200

// decoder is the state between the segments of a file.
type decoder struct {
	data          []byte
	at            int
	width, height int
	progressive   bool
	components    []component
	maxH, maxV    int // largest sampling factors
	quant         [4]*[64]int32
	dc, ac        [4]*huffman
	interval      int // MCUs between restart markers, 0 for none
	jfif          bool
	adobe         int // transform of Adobe's segment, -1 without one
}

// Markers of T.81, table B.1.
const (
	sof0, sof1, sof2, dht                  = 0xc0, 0xc1, 0xc2, 0xc4
	rst0, rst7, soi, eoi, sos, dqt, dri    = 0xd0, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdd
	app0, app14, sofLast, jpgMarker, dacIs = 0xe0, 0xee, 0xcf, 0xc8, 0xcc
)

// DecodeConfig reads the segments before the first scan.
func DecodeConfig(data []byte) (Config, error) {
	d := decoder{data: data, adobe: -1}
	for {
		marker, segment, err := d.segment()
		if err != nil {
			return Config{}, err
		}
		if marker == sos || marker == eoi {
			return Config{}, fmt.Errorf("jpeg: expected a frame header before the first scan, found none")
		}
		if isFrame(marker) {
			err := d.frame(marker, segment)
			return d.config(), err
		}
	}
}

// Decode reads an image. Errors: what libjpeg-turbo does not read either, arithmetic codes, and data that ends early or has an unknown code.
func Decode(data []byte) (*Image, error) {
	d := decoder{data: data, adobe: -1}
	for scans := 0; ; {
		marker, segment, err := d.segment()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == eoi && scans == 0:
			return nil, fmt.Errorf("jpeg: expected a scan, found the end of the image")
		case marker == eoi:
			return d.pixels()
		case marker == sos:
			scans++
			if err = d.claims(scans); err == nil {
				err = d.scan(segment)
			}
		default:
			err = d.table(marker, segment)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (d *decoder) config() Config { return Config{d.width, d.height, len(d.components) == 1} }

// segment is the next marker with what follows its length.
func (d *decoder) segment() (marker byte, segment []byte, err error) {
	for d.at+1 < len(d.data) && (d.data[d.at] != 0xff || d.data[d.at+1] == 0 || d.data[d.at+1] == 0xff) {
		d.at++
	}
	if d.at+1 >= len(d.data) {
		return 0, nil, fmt.Errorf("jpeg: expected a marker, found the end of the file: truncated")
	}
	marker = d.data[d.at+1]
	d.at += 2
	if marker == soi || marker == eoi || marker == 1 || marker >= rst0 && marker <= rst7 {
		return marker, nil, nil
	}
	if len(d.data)-d.at < 2 {
		return 0, nil, fmt.Errorf("jpeg: segment 0x%02x: expected a length, found the end of the file", marker)
	}
	n := int(binary.BigEndian.Uint16(d.data[d.at:]))
	if n < 2 || n > len(d.data)-d.at {
		return 0, nil, fmt.Errorf("jpeg: segment 0x%02x: length %d, found %d bytes", marker, n, len(d.data)-d.at)
	}
	segment = d.data[d.at+2 : d.at+n]
	d.at += n
	return marker, segment, nil
}

func isFrame(marker byte) bool {
	return marker >= sof0 && marker <= sofLast && marker != dht && marker != jpgMarker && marker != dacIs
}

// table reads a segment that is no scan.
func (d *decoder) table(marker byte, s []byte) error {
	switch {
	case isFrame(marker):
		return d.frame(marker, s)
	case marker == dht:
		return d.huffmanTables(s)
	case marker == dqt:
		return d.quantisation(s)
	case marker == dri && len(s) == 2:
		d.interval = int(binary.BigEndian.Uint16(s))
	case marker == app0 && len(s) >= 5 && string(s[:5]) == "JFIF\x00":
		d.jfif = true
	case marker == app14 && len(s) >= 12 && string(s[:5]) == "Adobe":
		d.adobe = int(s[11])
	}
	return nil
}

// frame reads a frame header (T.81, B.2.2).
func (d *decoder) frame(marker byte, s []byte) error {
	switch {
	case marker > sof2:
		return fmt.Errorf("jpeg: frame 0x%02x: expected a baseline, sequential or progressive image with Huffman codes", marker)
	case d.components != nil:
		return fmt.Errorf("jpeg: found a second frame header")
	case len(s) < 6 || len(s) != 6+3*int(s[5]) || s[0] != 8:
		return fmt.Errorf("jpeg: expected a frame header of 8 bits a sample, found % x", s[:min(len(s), 6)])
	}
	d.progressive = marker == sof2
	d.height, d.width = int(binary.BigEndian.Uint16(s[1:])), int(binary.BigEndian.Uint16(s[3:]))
	if n := s[5]; d.height == 0 || d.width == 0 || n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("jpeg: %dx%d pixels of %d components, expected 1, 3 or 4 components of at least 1 pixel", d.width, d.height, n)
	}
	for s := s[6:]; len(s) > 0; s = s[3:] {
		c := component{id: s[0], h: int(s[1] >> 4), v: int(s[1] & 15), table: s[2]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return fmt.Errorf("jpeg: component %d: sampling %dx%d and table %d, expected 1 to 4 and 0 to 3", c.id, c.h, c.v, c.table)
		}
		d.components = append(d.components, c)
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
	}
	for i := range d.components {
		c := &d.components[i]
		if d.maxH%c.h != 0 || d.maxV%c.v != 0 {
			return fmt.Errorf("jpeg: component %d: sampling %dx%d of %dx%d, expected a divisor", c.id, c.h, c.v, d.maxH, d.maxV)
		}
		c.width, c.height = ceil(d.width*c.h, d.maxH), ceil(d.height*c.v, d.maxV)
		c.across, c.down = ceil(d.width, 8*d.maxH)*c.h, ceil(d.height, 8*d.maxV)*c.v
	}
	return nil
}

// claims allocates the blocks at the first scan. A block takes at least a bit of the file, which bounds what a short file can claim.
func (d *decoder) claims(scans int) error {
	if d.components == nil {
		return fmt.Errorf("jpeg: expected a frame header before the first scan, found none")
	}
	if scans > maxScans {
		return fmt.Errorf("jpeg: expected at most %d scans, found more", maxScans)
	}
	if scans > 1 {
		return nil
	}
	total := 0
	for _, c := range d.components {
		total += c.across * c.down
	}
	if total > 8*len(d.data) {
		return fmt.Errorf("jpeg: %dx%d pixels in %d bytes: truncated", d.width, d.height, len(d.data))
	}
	for i := range d.components {
		d.components[i].blocks = make([]int16, 64*d.components[i].across*d.components[i].down)
	}
	return nil
}

// quantisation reads quantisation tables (T.81, B.2.4.1).
func (d *decoder) quantisation(s []byte) error {
	for len(s) > 0 {
		wide, id := int(s[0]>>4), s[0]&15
		if wide > 1 || id > 3 || len(s) < 1+64*(1+wide) {
			return fmt.Errorf("jpeg: quantisation table %d of %d bytes: expected a table 0 to 3 of 64 numbers", id, len(s))
		}
		var q [64]int32
		for i := range q {
			if wide == 1 {
				q[natural[i]] = int32(binary.BigEndian.Uint16(s[1+2*i:]))
			} else {
				q[natural[i]] = int32(s[1+i])
			}
		}
		d.quant[id] = &q
		s = s[1+64*(1+wide):]
	}
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

// natural is the place of a coefficient in its block by its place in the zigzag order.
var natural = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}
