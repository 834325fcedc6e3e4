package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rnas/internal/dataset"
	"rnas/internal/npy"
	"rnas/internal/tensor"
)

// imageStore collects the adversarial images of an attack in a raw file until they are packed into an .npz. The image of point p stands at p
// times the size of an image. A nil store keeps nothing.
type imageStore struct {
	raw, npz string      // paths
	file     *os.File    // the raw file; nil while it is not open
	elems    int         // values of an image
	buffer   []byte      // one image
	fresh    bool        // whether there are no images of an earlier run, so that its records are of no use
	packed   bool        // whether the images are packed already
	places   map[int]int // points by their rows in the split of the source
}

// archiveName is the first part of the name of the files with the images of one attack on one model file.
func archiveName(model, attack string) string {
	return strings.TrimSuffix(filepath.Base(model), filepath.Ext(model)) + "." + attack
}

// openImages finds the store of one attack in a folder by the name of its archive and the key of the work.
func openImages(dir, archive, key string, data *dataset.Dataset) *imageStore {
	name := filepath.Join(dir, archive+"."+key[:8])
	s := &imageStore{raw: name + ".raw", npz: name + ".npz", elems: data.Elems(), buffer: make([]byte, 4*data.Elems()), places: places(data)}
	_, rawErr := os.Stat(s.raw)
	_, npzErr := os.Stat(s.npz)
	s.packed = npzErr == nil
	s.fresh = !s.packed && errors.Is(rawErr, fs.ErrNotExist)
	return s
}

// open opens the raw file for reading and writing, and fills it from the .npz if that is packed.
func (s *imageStore) open() error {
	if s.file != nil {
		return nil
	}
	if s.packed {
		return s.unpack()
	}
	var err error
	s.file, err = os.OpenFile(s.raw, os.O_RDWR|os.O_CREATE, 0o644)
	return err
}

// put writes the image of a point to the raw file.
func (s *imageStore) put(point int, image []float32) error {
	if s == nil {
		return nil
	}
	if err := s.open(); err != nil {
		return err
	}
	return s.write(point, image)
}

// write writes the image of a point to the open raw file.
func (s *imageStore) write(point int, image []float32) error {
	if _, err := binary.Encode(s.buffer, binary.LittleEndian, image); err != nil {
		return err
	}
	_, err := s.file.WriteAt(s.buffer, int64(point)*int64(len(s.buffer)))
	return err
}

// unpack makes the raw file from the .npz again. That is needed where records were lost after the images were packed.
func (s *imageStore) unpack() error {
	index, images, err := s.load()
	if err != nil {
		return err
	}
	if s.file, err = os.OpenFile(s.raw, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644); err != nil {
		return err
	}
	for i, row := range index {
		if err := s.write(s.places[int(row)], images[i*s.elems:(i+1)*s.elems]); err != nil {
			return err
		}
	}
	s.packed = false
	return nil
}

// load reads the .npz: index are the rows of the points in the split of the source, images their images one after the other.
func (s *imageStore) load() (index []int64, images []float32, err error) {
	arrays, err := npy.ReadNPZ(s.npz)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range arrays {
		switch {
		case a.Name == "index" && a.Tensor.DType() == tensor.Int64:
			index = a.Tensor.Int64s()
		case a.Name == "images" && a.Tensor.DType() == tensor.Float32:
			images = a.Tensor.Float32s()
		}
	}
	if len(images) != len(index)*s.elems {
		return nil, nil, fmt.Errorf("%s: expected %d values of %d images, found %d", s.npz, len(index)*s.elems, len(index), len(images))
	}
	return index, images, nil
}

// sync makes the images that were put durable. It is called before the record that vouches for them is written.
func (s *imageStore) sync() error {
	if s == nil || s.file == nil {
		return nil
	}
	return s.file.Sync()
}

// pack writes the .npz: index int64 [n], the rows of the points in the split of the source, labels int64 [n], predictions int64 [n] and images float32 [n,C,H,W] of the
// attacked points, and removes the raw file. If the images are packed already, it is a no-op.
func (s *imageStore) pack(points []int, data *dataset.Dataset, predictions map[int]int) error {
	if s == nil || s.packed {
		return nil
	}
	if err := s.open(); err != nil {
		return err
	}
	n := int64(len(points))
	index, label, predicted := make([]int64, n), make([]int64, n), make([]int64, n)
	images := make([]float32, len(points)*s.elems)
	for i, p := range points {
		index[i], label[i], predicted[i] = int64(data.Row(p)), int64(data.Labels[p]), int64(predictions[p])
		if _, err := s.file.ReadAt(s.buffer, int64(p)*int64(len(s.buffer))); err != nil {
			return fmt.Errorf("image %d: %w", p, err)
		}
		if _, err := binary.Decode(s.buffer, binary.LittleEndian, images[i*s.elems:(i+1)*s.elems]); err != nil {
			return err
		}
	}
	err := npy.WriteNPZ(s.npz, []npy.Array{
		{Name: "index", Tensor: tensor.Vector(index...)},
		{Name: "labels", Tensor: tensor.Vector(label...)},
		{Name: "predictions", Tensor: tensor.Vector(predicted...)},
		{Name: "images", Tensor: tensor.Of([]int64{n, int64(data.Shape[0]), int64(data.Shape[1]), int64(data.Shape[2])}, images...)},
	})
	if err != nil {
		return err
	}
	if err := s.file.Close(); err != nil {
		return err
	}
	s.file, s.packed = nil, true
	return os.Remove(s.raw)
}

func (s *imageStore) Close() error {
	if s == nil || s.file == nil {
		return nil
	}
	return s.file.Close()
}
