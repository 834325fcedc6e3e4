package dataset

import (
	"archive/tar"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rnas/internal/picture"
)

// Every format of package picture is read from a class folder, also through links inside an archive.
func TestFormats(t *testing.T) {
	names := []string{"rgb.png", "photo.jpg", "lossy.webp", "rgb.bmp", "rgb.tiff", "rgb.ppm", "grey.pgm", "palette.gif"}
	files := tree{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("..", "picture", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files["train/a/"+name] = data
	}
	root := files.folder(t)
	if err := os.MkdirAll(filepath.Join(root, "val", "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.Symlink("../../train/a/"+name, filepath.Join(root, "val", "a", name)); err != nil {
			t.Skipf("no link can be made here: %v", err)
		}
	}
	for form, place := range map[string]string{"folder": root, "tar": save(t, "x.tar", tarOf(t, os.DirFS(root), tar.TypeSymlink))} {
		s := open(t, "folder:"+place, 0)
		checkInvariants(t, s)
		if s.Train.Len() != len(names) || s.Test.Len() != len(names) || len(s.Train.LeftOut)+len(s.Test.LeftOut) > 0 {
			t.Fatalf("%s: %d and %d images, left out %v and %v", form, s.Train.Len(), s.Test.Len(), s.Train.LeftOut, s.Test.LeftOut)
		}
		for i := range s.Test.Len() {
			data, err := os.ReadFile(filepath.Join(root, s.Train.File(i)))
			if err != nil {
				t.Fatal(err)
			}
			m, err := picture.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			n := s.Test.Elems()
			if !slices.Equal(s.Test.Images[i*n:(i+1)*n], picture.RGB(m).Pix) {
				t.Errorf("%s: %s has other pixels", form, s.Test.File(i))
			}
		}
	}
}
