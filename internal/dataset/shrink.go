package dataset

import "fmt"

// Shrink is the images made square, size pixels wide: every pixel is the mean of a block of pixels, rounded half up. It is an
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
	s.Images = make([]uint8, d.Len()*depth*size*size)
	tall, wide := height/size, width/size
	area := tall * wide
	for i := range s.Images {
		plane, row, column := i/(size*size), i/size%size, i%size
		at := plane*height*width + row*tall*width + column*wide
		sum := area / 2
		for y := range tall {
			for _, v := range d.Images[at+y*width : at+y*width+wide] {
				sum += int(v)
			}
		}
		s.Images[i] = uint8(sum / area)
	}
	return &s, nil
}

func (s *Splits) shrink(size int) (*Splits, error) {
	train, err := s.Train.Shrink(size)
	if err != nil {
		return nil, err
	}
	test, err := s.Test.Shrink(size)
	return &Splits{Train: train, Test: test}, err
}
