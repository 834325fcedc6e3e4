package dataset

import "fmt"

// Shrink is the images made square, size pixels wide: every pixel is the mean of a block of pixels; of bytes, rounded half up. It is an
// error if the sides of the images are no multiples of size. Images of that size are returned as they are.
func (d *Dataset) Shrink(size int) (*Dataset, error) {
	depth, height, width := d.Shape[0], d.Shape[1], d.Shape[2]
	if height == size && width == size {
		return d, nil
	}
	if size < 1 || height%size != 0 || width%size != 0 {
		return nil, fmt.Errorf("size: expected a divisor of the %d and %d pixels of the images, found %d", height, width, size)
	}
	s := *d
	s.Shape = [3]int{depth, size, size}
	n, tall, wide := d.Len()*depth*size*size, height/size, width/size
	area := tall * wide
	if d.Floats != nil {
		s.Floats = make([]float32, n)
		blocks(d.Floats, height, width, size, func(i int, sum float64) { s.Floats[i] = float32(sum / float64(area)) })
	} else {
		s.Images = make([]uint8, n)
		blocks(d.Images, height, width, size, func(i int, sum float64) { s.Images[i] = uint8((int(sum) + area/2) / area) })
	}
	return &s, nil
}

// blocks calls do with the sum of every block of planes of height x width values that are made size x size.
func blocks[T uint8 | float32](values []T, height, width, size int, do func(i int, sum float64)) {
	tall, wide := height/size, width/size
	for i := range len(values) / (tall * wide) {
		plane, row, column := i/(size*size), i/size%size, i%size
		at := plane*height*width + row*tall*width + column*wide
		sum := 0.0
		for y := range tall {
			for _, v := range values[at+y*width : at+y*width+wide] {
				sum += float64(v)
			}
		}
		do(i, sum)
	}
}
