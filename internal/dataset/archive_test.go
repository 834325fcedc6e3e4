package dataset

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestWalkNames(t *testing.T) {
	files := tree{
		"./a/1": []byte("one"), "b/": nil, "b/.git/x": nil, ".hidden": nil, "__MACOSX/a/1": nil,
		"../up": []byte("up"), `c\2`: []byte("two"),
	}
	want := []string{"a/1=one", "b/", "c/2=two", "up=up"}
	for form, archive := range map[string][]byte{"tar": files.tar(t), "tar.gz": gzipped(files.tar(t)), "zip": files.zip(t)} {
		var found []string
		err := walkArchive(context.Background(), bytes.NewReader(archive), int64(len(archive)), func(name string, r io.Reader) error {
			if r == nil {
				found = append(found, name+"/")
				return nil
			}
			data, err := readEntry(r, 100)
			found = append(found, name+"="+string(data))
			return err
		})
		slices.Sort(found)
		if err != nil || !slices.Equal(found, want) {
			t.Errorf("%s: found %v, %v, want %v", form, found, err, want)
		}
	}
}

// A pipe must be refused without being opened: opening it would wait for a writer.
func TestWalkRefusesSpecialFiles(t *testing.T) {
	folder := fstest.MapFS{"a/x.png": {Mode: fs.ModeNamedPipe}}
	err := walkFolder(context.Background(), folder, func(string, io.Reader) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "a/x.png: expected a regular file or a folder, found p") {
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
