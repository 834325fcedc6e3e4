package jpeg

import "fmt"

// plane is the samples of a component, of which the first width of each stride and the first height rows are of the image.
type plane struct {
	samples               []uint8
	stride, width, height int
}

// samples transforms the blocks of a component.
func (c *component) samples() plane {
	p := plane{make([]uint8, 64*c.across*c.down), 8 * c.across, c.width, c.height}
	for y := range c.down {
		for x := range c.across {
			inverse((*[64]int16)(c.blocks[64*(y*c.across+x):]), &c.quant, p.samples[8*y*p.stride+8*x:], p.stride)
		}
	}
	c.blocks = nil
	return p
}

// pixels makes the image of the blocks.
func (d *decoder) pixels() (*Image, error) {
	area := d.width * d.height
	planes := make([][]uint8, len(d.components))
	for i := range d.components {
		c := &d.components[i]
		if !c.latched {
			return nil, fmt.Errorf("jpeg: component %d: expected a scan, found none", c.id)
		}
		planes[i] = make([]uint8, area)
		c.samples().enlarge(planes[i], d.width, d.height, d.maxH/c.h, d.maxV/c.v)
	}
	if len(planes) == 1 {
		return &Image{d.config(), planes[0]}, nil
	}
	pix := make([]uint8, 3*area)
	r, g, b := pix[:area], pix[area:2*area], pix[2*area:]
	if d.coded() {
		toRGB(r, g, b, planes[0], planes[1], planes[2])
	} else {
		copy(r, planes[0])
		copy(g, planes[1])
		copy(b, planes[2])
	}
	if len(planes) == 4 {
		inks(pix, planes[3], d.coded())
	}
	return &Image{d.config(), pix}, nil
}

// coded reports whether the first three components are luma and chroma, by the rules of jdapimin.c.
func (d *decoder) coded() bool {
	c := d.components
	switch {
	case len(c) == 4:
		return d.adobe == 2
	case d.jfif:
		return true
	case d.adobe >= 0:
		return d.adobe != 0
	}
	return c[0].id != 'R' || c[1].id != 'G' || c[2].id != 'B'
}

// enlarge writes the samples h times as wide and v times as high to out [height, width]: linearly between samples for a factor of 2, as
// jdsample.c does with fancy upsampling, and by repetition for others.
func (p plane) enlarge(out []uint8, width, height, h, v int) {
	linear := h <= 2 && v <= 2 && (h == 1 || p.width > 2)
	for y := range height {
		to := out[y*width : (y+1)*width]
		near := p.samples[y/v*p.stride:]
		if h == 1 && v == 1 {
			copy(to, near[:width])
			continue
		}
		if !linear {
			for x := range to {
				to[x] = near[x/h]
			}
			continue
		}
		far := near
		if v == 2 {
			far = p.samples[beyond(y, p.height)*p.stride:]
		}
		switch {
		case h == 1: // jdsample.c: h1v2_fancy_upsample
			for x := range to {
				to[x] = uint8((3*int(near[x]) + int(far[x]) + 1 + y&1) >> 2)
			}
		case v == 1: // h2v1_fancy_upsample
			for x := range to {
				to[x] = uint8((3*int(near[x/2]) + int(near[beyond(x, p.width)]) + 1 + x&1) >> 2)
			}
		default: // h2v2_fancy_upsample
			for x := range to {
				a, b := x/2, beyond(x, p.width)
				to[x] = uint8((9*int(near[a]) + 3*int(far[a]) + 3*int(near[b]) + int(far[b]) + 8 - x&1) >> 4)
			}
		}
	}
}

// beyond is the sample of n across the nearer edge of pixel i of 2n.
func beyond(i, n int) int { return max(0, min(n-1, i/2-1+i&1*2)) }

// toRGB converts luma and chroma by the tables of jdcolor.c, in fixed point with 16 bits after the point.
func toRGB(r, g, b, luma, blue, red []uint8) {
	const half = 1 << 15
	for i, y := range luma {
		y, cb, cr := int(y), int(blue[i])-128, int(red[i])-128
		r[i] = clip(y + (91881*cr+half)>>16)
		g[i] = clip(y + (-22554*cb-46802*cr+half)>>16)
		b[i] = clip(y + (116130*cb+half)>>16)
	}
}

// inks turns the first three components of an image of four inks into colours in place, with Adobe's convention that 255 is no ink. Of coded
// ones pix has the colours complementary to the inks already as jdcolor.c takes them. Conversion: Convert.c of Pillow.
func inks(pix, black []uint8, coded bool) {
	for i, v := range pix {
		if coded { // YCCK becomes CMYK by 255-v
			v = 255 - v
		}
		light := int(black[i%len(black)])
		t := (255-int(v))*light + 128
		pix[i] = clip(light - (t>>8+t)>>8)
	}
}

func clip(v int) uint8 { return uint8(max(0, min(255, v))) }
