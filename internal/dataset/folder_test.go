package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// solid is an image of one colour.
func solid(width, height int, c color.Color) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, c)
		}
	}
	return m
}

func pngBytes(m image.Image) []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func jpegBytes(m image.Image) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func red(v uint8) []byte { return pngBytes(solid(4, 3, color.NRGBA{v, 1, 2, 255})) }

func folderTree() tree {
	return tree{
		"train/cat/1.png": red(10), "train/cat/0.PNG": red(11), "train/dog/a/0.png": red(12),
		"train/dog/b.jpeg": jpegBytes(solid(4, 3, color.NRGBA{200, 100, 50, 255})),
		"test/dog/0.png":   red(13), "test/cat/0.png": red(14), "test/cat/note.txt": []byte("no image"),
		"train/.DS_Store": {1}, "train/cat/._1.png": {2}, "README.md": {3}, "labels.csv": {4},
	}
}

// reds are the first bytes of the images.
func reds(d *Dataset) (values []uint8) {
	for i := range d.Len() {
		values = append(values, d.Images[i*d.Elems()])
	}
	return values
}

func TestFolder(t *testing.T) {
	digests := map[string]bool{}
	var places []string
	for _, files := range []tree{folderTree(), folderTree().under("top"), folderTree().under("./a/b"), folderTree().under("__MACOSX").with("x", nil)} {
		for _, place := range files.forms(t) {
			places = append(places, place)
		}
	}
	for i, place := range places {
		if i >= 15 { // all below __MACOSX
			refuse(t, "folder:"+place, "expected images CLASS/*.png")
			continue
		}
		s := open(t, "folder:"+place, 1+i%3)
		checkInvariants(t, s)
		if !slices.Equal(s.Train.Classes, []string{"cat", "dog"}) || s.Train.Shape != [3]int{3, 3, 4} {
			t.Fatalf("%s: classes %v, shape %v", place, s.Train.Classes, s.Train.Shape)
		}
		if got := reds(s.Train); !slices.Equal(got[:3], []uint8{11, 10, 12}) || !slices.Equal(s.Train.Labels, []int32{0, 0, 1, 1}) {
			t.Errorf("%s: training images %v with labels %v", place, got, s.Train.Labels)
		}
		if got := reds(s.Test); !slices.Equal(got, []uint8{14, 13}) || !slices.Equal(s.Test.Labels, []int32{0, 1}) {
			t.Errorf("%s: test images %v with labels %v", place, got, s.Test.Labels)
		}
		last := s.Train.Images[3*36:]
		for c, want := range []int{200, 100, 50} {
			if diff := int(last[c*12]) - want; diff < -3 || diff > 3 {
				t.Errorf("%s: JPEG channel %d is %d, want about %d", place, c, last[c*12], want)
			}
		}
		digests[s.Train.Digest()+s.Test.Digest()] = true
	}
	if len(digests) != 1 {
		t.Errorf("%d different contents from the same files", len(digests))
	}
}

func TestFolderWithoutSplit(t *testing.T) {
	files := tree{}
	for i := range 50 {
		files["pets/"+[]string{"cat", "dog"}[i%2]+"/"+string(rune('a'+i))+".png"] = red(uint8(i))
	}
	place := files.folder(t)
	s := open(t, "folder:"+place, 0)
	if s.Train.Len() != 40 || s.Test.Len() != 10 {
		t.Fatalf("%d and %d images, want 40 and 10", s.Train.Len(), s.Test.Len())
	}
	for _, d := range []*Dataset{s.Train, s.Test} {
		var dogs int32
		for i, label := range d.Labels {
			dogs += label
			if int32(d.Images[i*d.Elems()])%2 != label {
				t.Errorf("image %d has label %d", d.Images[i*d.Elems()], label)
			}
		}
		if int(dogs) != d.Len()/2 {
			t.Errorf("%d dogs of %d", dogs, d.Len())
		}
	}
	all := append(reds(s.Train), reds(s.Test)...)
	slices.Sort(all)
	if len(slices.Compact(all)) != 50 {
		t.Error("an image is in both splits")
	}
	if other := open(t, "folder:"+place+"?seed=2", 0); slices.Equal(reds(other.Test), reds(s.Test)) {
		t.Error("the seed does not matter")
	}
}

func TestFolderGrey(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 4, 3))
	grey.Pix[1] = 77
	files := tree{"train/a/0.png": pngBytes(grey), "train/b/0.jpg": jpegBytes(image.NewGray(image.Rect(0, 0, 4, 3))), "test/a/0.png": pngBytes(grey)}
	if s := open(t, "folder:"+files.folder(t), 0); s.Train.Shape != [3]int{1, 3, 4} || s.Train.Images[1] != 77 {
		t.Errorf("grey images have the shape %v", s.Train.Shape)
	}
	s := open(t, "folder:"+files.with("test/b/0.png", red(5)).folder(t), 0)
	if s.Train.Shape != [3]int{3, 3, 4} || s.Train.Images[1] != 77 || s.Train.Images[13] != 77 || s.Train.Images[25] != 77 {
		t.Errorf("grey images among colour ones: shape %v", s.Train.Shape)
	}
}

// claim rewrites the size in the header of a PNG image.
func claim(data []byte, width, height uint32) []byte {
	data = bytes.Clone(data)
	binary.BigEndian.PutUint32(data[16:], width)
	binary.BigEndian.PutUint32(data[20:], height)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}

func TestFolderErrors(t *testing.T) {
	good := folderTree()
	zeros := make([]byte, 100<<20)
	for name, test := range map[string]struct {
		files  tree
		wanted []string
	}{
		"no image":      {tree{"a/b.txt": nil}, []string{"expected images CLASS/*.png, *.jpg or another of the formats JPEG, PNG,", "found none (1 left out, the first a/b.txt: not named as an image)"}},
		"empty class":   {good.with("train/emu/", nil), []string{"train/emu: expected images, found none"}},
		"other format":  {good.with("train/emu/0.heic", nil), []string{"train/emu: expected images, found none (1 left out, the first train/emu/0.heic: not named as"}},
		"empty in test": {good.without("test/dog/0.png").with("test/dog/", nil), []string{"test/dog: expected images, found none"}},
		"new in test":   {good.with("test/emu/0.png", red(1)), []string{"test/emu/0.png: class emu is not among those of train"}},
		"other folder":  {good.with("more/cat/0.png", red(1)), []string{"expected the folders train and test, val or the like, found more, test, train"}},
		"two of a part": {good.with("testing/cat/0.png", red(1)), []string{"expected one folder of each part, found test and testing"}},
		"no class":      {good.with("train/0.png", red(1)), []string{"train/0.png: expected images inside class folders"}},
		"size":          {good.with("train/cat/2.png", pngBytes(solid(5, 3, color.White))), []string{"train/cat/2.png: 5x3 pixels, expected 4x3 as in t", "need --resize 256 --crop 224"}},
		"small":         {good, []string{"4x3 pixels: crop 4 is larger"}},
		"nothing":       {tree{"train/a/0.png": red(1)[:60], "test/a/0.png": red(1)[:60]}, []string{"/a/0.png: ", "EOF (none of "}},
	} {
		t.Run(name, func(t *testing.T) {
			options := ""
			if name == "small" {
				options = "?crop=4"
			}
			refuse(t, "folder:"+test.files.folder(t)+options, test.wanted...)
			refuse(t, "folder:"+save(t, "x.zip", test.files.zip(t))+options, test.wanted...)
		})
	}
	t.Run("many claimed pixels", func(t *testing.T) {
		big, files := claim(red(1), 4096, 4096), tree{}
		for i := range 8 {
			files["train/a/"+string(rune('a'+i))+".png"] = big
			files["test/a/"+string(rune('a'+i))+".png"] = big
		}
		refuse(t, "folder:"+files.folder(t), "16 images of 4096x4096 pixels in", "when decoded")
	})
	t.Run("bombs", func(t *testing.T) {
		bomb := good.with("train/cat/9.txt", zeros)
		refuse(t, "folder:"+save(t, "x.tar.gz", gzipped(bomb.tar(t))), "expand to more than")
		refuse(t, "folder:"+save(t, "x.zip", good.with("train/cat/9.png", zeros[:maxImage+1]).zip(t)), "train/cat/9.png: expected at most 67108864 bytes")
	})
	t.Run("cut archives", func(t *testing.T) {
		whole := good.tar(t)
		refuse(t, "folder:"+save(t, "x.tar", whole[:len(whole)-1024]), "tar: expected an end-of-archive block", "truncated")
		refuse(t, "folder:"+save(t, "x.tar", whole[:1200]), "tar: entry at byte 1024: ", "EOF")
		zipped := gzipped(whole)
		for _, n := range []int{len(zipped) - 3, len(zipped) / 2, 12} {
			refuse(t, "folder:"+save(t, "x.tar.gz", zipped[:n]), "EOF")
		}
		refuse(t, "folder:"+save(t, "x.zip", good.zip(t)[:500]), "zip: not a valid zip file")
		refuse(t, "folder:"+save(t, "x.rar", []byte(strings.Repeat("Rar!", 200))), "tar: entry at byte 0: archive/tar: invalid tar header")
	})
	t.Run("twice", func(t *testing.T) {
		one := tree{"train/cat/1.png": red(1)}.tar(t)
		twice := append(slices.Clone(one[:len(one)-1024]), good.tar(t)...)
		refuse(t, "folder:"+save(t, "x.tar", twice), "train/cat/1.png: found a second time")
	})
}

func FuzzArchive(f *testing.F) {
	good := folderTree()
	f.Add(good.tar(f))
	f.Add(good.zip(f))
	f.Add(gzipped(good.tar(f)))
	f.Fuzz(func(t *testing.T, archive []byte) {
		place := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(place, archive, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), "folder:"+place, Options{Workers: 1})
		if err == nil {
			checkInvariants(t, s)
		}
	})
}
