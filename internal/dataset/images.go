package dataset

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"rnas/internal/picture"
)

// Limits of images.
const (
	maxImage = 64 << 20 // bytes of a file
	maxSide  = 4096     // pixels a side, in the end
)

// splits reads the images that the limits leave and makes the parts of the source.
func (t *imageTree) splits(ctx context.Context, s Spec, opts Options) (*Splits, error) {
	parts, err := t.parts(s)
	if err != nil {
		return nil, err
	}
	chosen := map[split]*Dataset{} // the labels of the images to read; their rows are places in the list of the part
	var wanted []*imageFile
	for _, k := range []split{test, train, val} {
		p := parts[k]
		if p.skeleton == nil {
			continue
		}
		limit := lesser(lesser(s.Limit, opts.Limit), map[split]int{train: s.Train, test: s.Test, val: s.Test}[k])
		d := p.skeleton.Limit(limit, s.Seed)
		if opts.Only != "" && opts.Only != "all" && opts.Only != partNames[k] {
			d = d.Subset(nil)
		}
		chosen[k] = d
		for i := range d.Labels {
			wanted = append(wanted, p.files[d.Row(i)])
		}
	}
	m := transform{s.Resize, s.Crop}
	if err := t.load(ctx, s.Path, wanted); err != nil {
		return nil, err
	}
	shape, err := t.common(wanted, m)
	if err != nil {
		return nil, err
	}
	out := &Splits{valAsTest: t.valAsTest}
	to := map[split]**Dataset{train: &out.Train, test: &out.Test, val: &out.Val}
	for _, k := range []split{test, train, val} {
		if chosen[k] == nil {
			if k != val {
				*to[k] = &Dataset{Classes: t.classes, Numbered: t.numbered, Shape: shape}
			}
			continue
		}
		if *to[k], err = t.part(ctx, k, parts[k], chosen[k], shape, m, opts); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// partNames name the parts for people.
var partNames = map[split]string{train: "train", val: "val", test: "test"}

// imagePart is a part of the tree: its images in the order of their names, and their labels.
type imagePart struct {
	files    []*imageFile
	skeleton *Dataset // without pixels; nil for a part that is not there
}

// parts divides the tree. A part for validation alone is the test part.
func (t *imageTree) parts(s Spec) (map[split]imagePart, error) {
	byUse := map[split][]*imageFile{}
	for i := range t.files {
		f := &t.files[i]
		byUse[f.split] = append(byUse[f.split], f)
	}
	if len(byUse[test]) == 0 && len(byUse[val]) > 0 {
		byUse[test], byUse[val], t.valAsTest = byUse[val], nil, true
	}
	parts := map[split]imagePart{}
	for k, files := range byUse {
		if len(files) == 0 {
			continue
		}
		d := &Dataset{Name: s.Path, Classes: t.classes}
		for _, f := range files {
			d.Labels = append(d.Labels, f.label)
		}
		parts[k] = imagePart{files, d}
	}
	if whole := parts[none]; whole.skeleton != nil {
		first, second, err := whole.skeleton.Split(0.8, s.Seed)
		if err != nil {
			return nil, err
		}
		parts[train], parts[test] = imagePart{whole.files, first}, imagePart{whole.files, second}
		t.notes = append(t.notes, fmt.Sprintf("no folders of a training and a test part: %d of the images, drawn by the seed, are the test part", second.Len()))
	}
	return parts, nil
}

// load reads the content and the header of images. An image that cannot be read has the reason why.
func (t *imageTree) load(ctx context.Context, location string, wanted []*imageFile) error {
	var files []file
	byName := map[string]*imageFile{}
	for _, f := range wanted {
		files = append(files, f.file)
		byName[f.file.name] = f
	}
	return fetch(ctx, location, files, func(found file, r io.Reader) error {
		f := byName[found.name]
		data, err := readEntry(r, maxImage)
		if err != nil {
			return fmt.Errorf("%s: %w", found.name, err)
		}
		if f.config, err = picture.DecodeConfig(data); err != nil {
			f.reason = err.Error()
			return nil
		}
		f.data = bytes.Clone(data) // without the spare capacity of reading
		return nil
	})
}

// common is the shape of all images: grey if all are.
func (t *imageTree) common(wanted []*imageFile, m transform) (shape [3]int, err error) {
	var first *imageFile
	grey, stored, n := true, 0, 0
	for _, f := range wanted {
		if f.reason != "" {
			continue
		}
		width, height, err := m.size(f.config.Width, f.config.Height)
		if err != nil {
			return shape, fmt.Errorf("%s: %w", f.file.name, err)
		}
		if first == nil {
			first, shape = f, [3]int{3, height, width}
		}
		if width != shape[2] || height != shape[1] {
			return shape, fmt.Errorf("%s: %dx%d pixels, expected %dx%d as in %s; images of several sizes need --resize 256 --crop 224 or the like, in a data source ?resize=256,crop=224",
				f.file.name, width, height, shape[2], shape[1], first.file.name)
		}
		grey = grey && f.config.Grey
		stored += len(f.data)
		n++
	}
	if first == nil {
		if len(wanted) == 0 {
			return shape, nil
		}
		return shape, fmt.Errorf("%s: %s (none of %d images can be read)", wanted[0].file.name, wanted[0].reason, len(wanted))
	}
	if grey {
		shape[0] = 1
	}
	decoded, limit := shape[0]*shape[1]*shape[2]*n, 4*expansionBase+expansionRatio*stored
	if m == (transform{}) && decoded > limit {
		return shape, fmt.Errorf("%d images of %dx%d pixels in %d bytes, expected at most %d bytes when decoded", n, shape[2], shape[1], stored, limit)
	}
	return shape, nil
}

// part decodes the chosen images of a part.
func (t *imageTree) part(ctx context.Context, k split, p imagePart, chosen *Dataset, shape [3]int, m transform, opts Options) (*Dataset, error) {
	d := &Dataset{Classes: t.classes, Numbered: t.numbered, Shape: shape, Notes: slices.Clone(t.notes)}
	elems := d.Elems()
	pixels := make([]uint8, elems*chosen.Len())
	err := forEach(ctx, chosen.Len(), opts, func(i int) error {
		f := p.files[chosen.Row(i)]
		if f.reason != "" {
			return nil
		}
		decoded, err := picture.Decode(f.data)
		f.data = nil
		if err != nil {
			f.reason = err.Error()
			return nil
		}
		if shape[0] == 3 {
			decoded = picture.RGB(decoded)
		}
		copy(pixels[i*elems:(i+1)*elems], m.apply(decoded).Pix)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, f := range p.files {
		d.Files = append(d.Files, f.file.name)
	}
	deep := 0
	for i, label := range chosen.Labels {
		f := p.files[chosen.Row(i)]
		if f.reason != "" {
			d.LeftOut = append(d.LeftOut, LeftOut{f.file.name, f.reason})
			continue
		}
		if f.config.Deep {
			deep++
		}
		copy(pixels[d.Len()*elems:], pixels[i*elems:(i+1)*elems])
		d.Labels, d.Rows = append(d.Labels, label), append(d.Rows, chosen.Row(i))
	}
	d.Images = pixels[:d.Len()*elems]
	if deep > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d grey images of 16 bits: values above 255 are white, as in Pillow", deep))
	}
	slices.SortFunc(d.LeftOut, func(a, b LeftOut) int { return strings.Compare(a.File, b.File) })
	d.LeftOut = append(t.leftOutOf(k), d.LeftOut...)
	if d.Len() == 0 && chosen.Len() > 0 {
		return nil, fmt.Errorf("%s: %s (none of the %d images of %s can be read)", d.LeftOut[0].File, d.LeftOut[0].Reason, chosen.Len(), partNames[k])
	}
	return d, nil
}

// leftOutOf is what was left out before images were read and is of a part, or of none that is known.
func (t *imageTree) leftOutOf(k split) []LeftOut {
	var list []LeftOut
	for _, l := range t.leftOut {
		top, _, _ := strings.Cut(strings.TrimPrefix(l.File, t.above), "/")
		if s := splitOf(top); t.depth != 2 || s == none || s == k || s == val && k == test {
			list = append(list, l)
		}
	}
	return list
}
