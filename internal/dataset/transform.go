package dataset

import (
	"fmt"

	"rnas/internal/picture"
)

// transform is what is done to every image of a source of files, as torchvision's Resize and CenterCrop do it.
type transform struct {
	resize int // the shorter side after resizing, 0 for none
	crop   int // the side of the square that is cut from the middle, 0 for none
}

// resized is the size of an image after Resize.
func (t transform) resized(width, height int) (int, int) {
	switch {
	case t.resize == 0:
		return width, height
	case width <= height:
		return t.resize, t.resize * height / width
	}
	return t.resize * width / height, t.resize
}

// size is that of an image in the end. It is an error if the image is smaller than the square cut from it.
func (t transform) size(width, height int) (int, int, error) {
	width, height = t.resized(width, height)
	if max(width, height) > maxSide {
		return 0, 0, fmt.Errorf("%dx%d pixels, expected at most %d a side", width, height, maxSide)
	}
	if t.crop == 0 {
		return width, height, nil
	}
	if t.crop > min(width, height) {
		return 0, 0, fmt.Errorf("%dx%d pixels: crop %d is larger; add resize=%d", width, height, t.crop, t.crop)
	}
	return t.crop, t.crop, nil
}

// apply transforms a decoded image.
func (t transform) apply(m *picture.Image) *picture.Image {
	if width, height := t.resized(m.Width, m.Height); width != m.Width || height != m.Height {
		m = picture.Resize(m, width, height)
	}
	if t.crop > 0 {
		m = picture.Crop(m, t.crop, t.crop)
	}
	return m
}

// all transforms the images of a source of arrays.
func (t transform) all(d *Dataset) (*Dataset, error) {
	if t == (transform{}) || d.Len() == 0 {
		return d, nil
	}
	depth, height, width := d.Shape[0], d.Shape[1], d.Shape[2]
	newWidth, newHeight, err := t.size(width, height)
	if err != nil {
		return nil, err
	}
	s := *d
	s.Images, s.Floats = nil, nil
	s.Shape = [3]int{depth, newHeight, newWidth}
	middleWidth, middleHeight := t.resized(width, height)
	for i := range d.Len() {
		if d.Floats != nil {
			values := picture.ResizeFloats(d.Floats[i*d.Elems():(i+1)*d.Elems()], depth, height, width, middleHeight, middleWidth)
			s.Floats = append(s.Floats, picture.CropFloats(values, depth, middleHeight, middleWidth, newHeight, newWidth)...)
			continue
		}
		m := &picture.Image{Config: picture.Config{Width: width, Height: height}, Pix: d.Images[i*d.Elems() : (i+1)*d.Elems()]}
		s.Images = append(s.Images, t.apply(m).Pix...)
	}
	return &s, nil
}

// each applies change to the parts of a source.
func (s *Splits) each(change func(*Dataset) (*Dataset, error)) error {
	for _, part := range []**Dataset{&s.Train, &s.Test, &s.Val} {
		if *part == nil {
			continue
		}
		changed, err := change(*part)
		if err != nil {
			return err
		}
		*part = changed
	}
	return nil
}
