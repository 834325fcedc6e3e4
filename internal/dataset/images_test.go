package dataset

import (
	"image/color"
	"slices"
	"strings"
	"testing"
)

// leftOut are the files that were left out, each with its reason.
func leftOut(d *Dataset) (texts []string) {
	for _, l := range d.LeftOut {
		texts = append(texts, l.File+": "+l.Reason)
	}
	return texts
}

// What cannot be read is left out and named, and the rest keeps its rows.
func TestLeftOut(t *testing.T) {
	jpeg := folderTree()["train/dog/b.jpeg"]
	for name, test := range map[string]struct {
		data   []byte
		reason string
	}{
		"cat/2.png":  {[]byte("Rar!"), `expected an image of the format JPEG, PNG, WebP, BMP, TIFF, PNM or GIF, found a file beginning with "Rar!"`},
		"cat/3.png":  {nil, "expected an image of the format"},
		"cat/4.png":  {red(1)[:20], "EOF"},
		"cat/5.png":  {red(1)[:len(red(1))-20], "EOF"},
		"cat/6.jpg":  {jpeg[:len(jpeg)-10], "truncated"},
		"cat/7.png":  {claim(red(1), 1<<16, 1<<14), "65536x16384 pixels in a file of"},
		"cat/8.heic": {[]byte("ftyp"), "not named as an image of the formats JPEG,"},
	} {
		files := folderTree().with("test/"+name, test.data)
		for form, place := range map[string]string{"folder": files.folder(t), "zip": save(t, "x.zip", files.zip(t))} {
			s := open(t, "folder:"+place, 0)
			checkInvariants(t, s)
			got := leftOut(s.Test)
			if len(got) != 1 || !strings.HasPrefix(got[0], "test/"+name+": ") || !strings.Contains(got[0], test.reason) || len(s.Train.LeftOut) != 0 {
				t.Errorf("%s %s: left out %q of test and %q of train, want %s", form, name, got, leftOut(s.Train), test.reason)
			}
			if s.Test.Len() != 2 || s.Test.File(1) != "test/dog/0.png" {
				t.Errorf("%s %s: %d images, the second %s", form, name, s.Test.Len(), s.Test.File(1))
			}
		}
	}
}

// Every way in which people name and nest parts gives the same classes.
func TestSplitNames(t *testing.T) {
	for layout, want := range map[string]string{ // of the training part, the part that is tested, and another; what they become
		"train/C,val/C":                         "train,val",
		"Training/C,Testing/C":                  "train,test",
		"train/C,valid/C,test/C":                "train,test,val",
		"train_images/C,val_images/C":           "train,val",
		"x/y/train/C,x/y/validation/C":          "train,val",
		"C/train,C/test":                        "train,test",
		"data/train/images/C,data/dev/images/C": "train,val",
		"trainset/C,test-set/C":                 "train,test",
		"val/C":                                 "-,val",
		"train/C":                               "train,-",
	} {
		files := tree{}
		parts := strings.Split(layout, ",")
		for i, part := range parts {
			for k, class := range []string{"a", "b"} {
				files[strings.Replace(part, "C", class, 1)+"/0.png"] = red(uint8(10*i + k))
			}
		}
		s := open(t, "folder:"+files.folder(t), 0)
		checkInvariants(t, s)
		var got []string
		for _, d := range []*Dataset{s.Train, s.Test, s.Val} {
			switch {
			case d == nil:
			case d.Len() == 0:
				got = append(got, "-")
			default:
				got = append(got, d.Name[strings.LastIndex(d.Name, " ")+1:])
				if !slices.Equal(d.Classes, []string{"a", "b"}) || !slices.Equal(d.Labels, []int32{0, 1}) || reds(d)[1] != reds(d)[0]+1 {
					t.Errorf("%s: classes %v, labels %v, images %v", layout, d.Classes, d.Labels, reds(d))
				}
			}
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s: found %v, want %s", layout, got, want)
		}
	}
}

func TestSplitOf(t *testing.T) {
	for name, want := range map[string]split{"train": train, "VAL": val, "test_set": test, "testset": test, "img-train": train, "tent": none, "test tube": none, "train-test": none, "": none, "images": none} {
		if got := splitOf(name); got != want {
			t.Errorf("%q: part %v, want %v", name, got, want)
		}
	}
}

// The test part of ImageNet has no classes: it is left out, the validation part is what is tested.
func TestPartWithoutClasses(t *testing.T) {
	files := folderTree().without("test/dog/0.png").without("test/cat/0.png").without("test/cat/note.txt")
	files["test/0.png"], files["val/dog/0.png"], files["val/cat/0.png"] = red(1), red(2), red(3)
	s := open(t, "folder:"+files.folder(t), 0)
	if got := reds(s.Test); !slices.Equal(got, []uint8{3, 2}) || s.Val != nil {
		t.Errorf("test images %v, validation part %v", got, s.Val)
	}
	if got := leftOut(s.Train); len(got) != 0 {
		t.Errorf("left out of train: %v", got)
	}
	if _, err := s.Part("val"); err != nil {
		t.Error(err)
	}
}

func TestParts(t *testing.T) {
	s := open(t, "folder:"+folderTree().folder(t), 0)
	all, err := s.Part("all")
	if err != nil || all.Len() != 6 || all.File(4) != "test/cat/0.png" || all.Row(4) != 4 {
		t.Errorf("all: %+v, %v", all, err)
	}
	if _, err := s.Part("val"); err == nil || !strings.Contains(err.Error(), "expected images of the part val, found those of train and test") {
		t.Errorf("error %v", err)
	}
}

// A limit names the rows of the whole part, for images and for arrays.
func TestRowsOfLimit(t *testing.T) {
	files := tree{}
	for i := range 12 {
		files["test/"+[]string{"a", "b"}[i%2]+"/"+string(rune('a'+i))+".png"] = red(uint8(i))
		files["train/"+[]string{"a", "b"}[i%2]+"/"+string(rune('a'+i))+".png"] = red(uint8(i))
	}
	place := files.folder(t)
	whole, part := open(t, "folder:"+place, 0).Test, open(t, "folder:"+place+"?limit=5", 0).Test
	limited := whole.Limit(5, 0)
	if part.Digest() != limited.Digest() || !slices.Equal(part.Rows, limited.Rows) || part.Len() != 5 {
		t.Errorf("a limit while reading gives the rows %v, afterwards %v", part.Rows, limited.Rows)
	}
	for i := range part.Len() {
		if row := part.Row(i); whole.Images[row*whole.Elems()] != part.Images[i*part.Elems()] || whole.File(row) != part.File(i) {
			t.Errorf("image %d is not that of row %d", i, row)
		}
	}
}

// Images of several sizes are resized and cropped, each as package picture does it.
func TestResizeAndCrop(t *testing.T) {
	files := tree{}
	for i, size := range [][2]int{{9, 7}, {7, 20}, {6, 6}} {
		data := pngBytes(solid(size[0], size[1], color.NRGBA{uint8(50 * i), 1, 2, 255}))
		files["test/a/"+string(rune('a'+i))+".png"], files["train/a/"+string(rune('a'+i))+".png"] = data, data
	}
	s := open(t, "folder:"+files.folder(t)+"?resize=5,crop=4", 0)
	checkInvariants(t, s)
	if s.Test.Shape != [3]int{3, 4, 4} || !slices.Equal(reds(s.Test), []uint8{0, 50, 100}) {
		t.Errorf("shape %v, images %v", s.Test.Shape, reds(s.Test))
	}
	arrays := tree{"x_test.npy": npy(1, header("<f4", "1,1,1,4"), floats(0, 1, 1, 0)), "y_test.npy": npy(1, header("|u1", "1"), []byte{0})}
	if s := open(t, "npz:"+save(t, "x.npz", arrays.zip(t))+"?crop=1", 0); s.Test.Shape != [3]int{1, 1, 1} {
		t.Errorf("shape %v", s.Test.Shape)
	}
}
