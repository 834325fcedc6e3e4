package dataset

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func listBytes(archive []byte) (*listing, error) {
	return listed(func(visit visitor) error {
		return walkArchive(context.Background(), bytes.NewReader(archive), int64(len(archive)), visit)
	})
}

func (l *listing) names() (names []string) {
	for _, f := range l.files {
		names = append(names, f.name)
	}
	for _, f := range l.folders {
		names = append(names, f+"/")
	}
	slices.Sort(names)
	return names
}

func TestListNames(t *testing.T) {
	files := tree{
		"./a/1": []byte("one"), "b/": nil, "b/.git/x": nil, ".hidden": nil, "__MACOSX/a/1": nil,
		"../up": []byte("up"), `c\2`: []byte("two"),
	}
	want := []string{"a/", "a/1", "b/", "c/", "c/2", "up"}
	for form, archive := range map[string][]byte{"tar": files.tar(t), "tar.gz": gzipped(files.tar(t)), "zip": files.zip(t)} {
		l, err := listBytes(archive)
		if err != nil || !slices.Equal(l.names(), want) {
			t.Errorf("%s: found %v, %v, want %v", form, l.names(), err, want)
		}
		if want := []byte("one"); err == nil {
			files, err := collect(context.Background(), save(t, "x", archive), func(base string) string {
				return strings.Trim(base, "2up")
			})
			if err != nil || !bytes.Equal(files["1"], want) {
				t.Errorf("%s: collected %q, %v", form, files, err)
			}
		}
	}
}

// A pipe must be left out without being opened: opening it would wait for a writer.
func TestListSpecialFiles(t *testing.T) {
	root := tree{"a/0.png": nil}.folder(t)
	if err := syscall.Mkfifo(filepath.Join(root, "a", "x.png"), 0o600); err != nil {
		t.Skipf("no pipe can be made here: %v", err)
	}
	l, err := list(context.Background(), root)
	if err != nil || len(l.leftOut) != 1 || l.leftOut[0].File != "a/x.png" || !strings.Contains(l.leftOut[0].Reason, "expected a regular file or a folder, found p") {
		t.Errorf("left out %v, %v", l.leftOut, err)
	}
}

// links are links by name: where they lead, and the files and reasons that list finds.
var linkTests = []struct {
	name, target string
	files        []string // besides real/0 and real/.far/1
	reason       string
}{
	{"b", "real/0", []string{"b"}, ""},
	{"deep/b", "../real/0", []string{"deep/b"}, ""},
	{"deep/b", "../real", []string{"deep/b/0"}, ""},
	{"deep/b", "./.././real//", []string{"deep/b/0"}, ""},
	{"b", "real/.far/1", []string{"b"}, ""},
	{"b", "none", nil, "link to none, which is not there"},
	{"b", "b", nil, "more than 40 links in a chain"},
	{"b", ".", nil, "link to a folder that holds it"},
	{"real/b", "..", nil, "link to a folder that holds it"},
	{"b", "../out", nil, "link that leads out of the data, which is not followed"},
	{"b", "/etc/passwd", nil, "link that leads out of the data, which is not followed"},
	{"real/b", "../../real/0", nil, "link that leads out of the data, which is not followed"},
}

func TestLinks(t *testing.T) {
	for _, test := range linkTests {
		root := tree{"real/0": []byte("zero"), "real/.far/1": []byte("one")}.folder(t)
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(test.name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(test.target, filepath.Join(root, test.name)); err != nil {
			t.Skipf("no link can be made here: %v", err)
		}
		archive := tarOf(t, os.DirFS(root), tar.TypeSymlink)
		for form, place := range map[string]string{"folder": root, "tar": save(t, "x.tar", archive)} {
			l, err := list(context.Background(), place)
			if err != nil {
				t.Fatalf("%s: %v", form, err)
			}
			var found []string
			for _, f := range l.files {
				if f.name != "real/0" {
					found = append(found, f.name)
				}
			}
			if !slices.Equal(found, test.files) {
				t.Errorf("%s: %s to %s: found %v, want %v", form, test.name, test.target, found, test.files)
			}
			if test.reason != "" && (len(l.leftOut) != 1 || l.leftOut[0] != LeftOut{test.name, test.reason}) {
				t.Errorf("%s: %s to %s: left out %v, want %s", form, test.name, test.target, l.leftOut, test.reason)
			}
		}
	}
}

// tarOf is a folder with its links as a tar.
func tarOf(t *testing.T, folder fs.FS, link byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err := fs.WalkDir(folder, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		header := &tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg}
		var data []byte
		if e.Type()&fs.ModeSymlink != 0 {
			header.Typeflag = link
			header.Linkname, err = fs.ReadLink(folder, name)
		} else {
			data, err = fs.ReadFile(folder, name)
			header.Size = int64(len(data))
		}
		if err != nil {
			return err
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A link that names a place below the root in full is followed, and a hard link of a tar is another name.
func TestLinksFromTheRoot(t *testing.T) {
	root := tree{"real/0": []byte("zero")}.folder(t)
	if err := os.Symlink(filepath.Join(root, "real"), filepath.Join(root, "b")); err != nil {
		t.Skipf("no link can be made here: %v", err)
	}
	l, err := list(context.Background(), root)
	if want := []string{"b/", "b/0", "real/", "real/0"}; err != nil || !slices.Equal(l.names(), want) {
		t.Errorf("found %v, %v, left out %v", l.names(), err, l.leftOut)
	}
	other := tree{"real/0": []byte("zero")}.folder(t)
	if err := os.Symlink("real/0", filepath.Join(other, "real", "1")); err != nil {
		t.Fatal(err)
	}
	place := save(t, "x.tar", tarOf(t, os.DirFS(other), tar.TypeLink))
	files, err := collect(context.Background(), place, func(base string) string { return base })
	if err != nil || string(files["1"]) != "zero" || string(files["0"]) != "zero" {
		t.Errorf("found %q, %v", files, err)
	}
}

// Links that double the number of names in each of many folders are refused.
func TestLinkBomb(t *testing.T) {
	root := tree{"z/0": nil}.folder(t)
	for folder := 'y'; folder >= 'a'; folder-- {
		if err := os.Mkdir(filepath.Join(root, string(folder)), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"l", "r"} {
			if err := os.Symlink("../"+string(folder+1), filepath.Join(root, string(folder), name)); err != nil {
				t.Skipf("no link can be made here: %v", err)
			}
		}
	}
	if _, err := list(context.Background(), root); err == nil || !strings.Contains(err.Error(), "links make more than") {
		t.Errorf("error %v", err)
	}
}

func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for form, place := range folderTree().forms(t) {
		if _, err := Open(ctx, "folder:"+place, Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", form, err)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add(folderTree().tar(f))
	f.Add(folderTree().zip(f))
	f.Fuzz(func(t *testing.T, archive []byte) {
		l, err := listBytes(archive)
		if err != nil {
			return
		}
		for _, file := range l.files {
			if e := l.entries[file.real]; !e.mode.IsRegular() || file.name == "" || strings.HasPrefix(file.name, "../") {
				t.Errorf("%+v is %+v", file, e)
			}
		}
	})
}
