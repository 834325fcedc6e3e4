package dataset

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree is the content of a source by name; a name ending in a slash is an empty folder.
type tree map[string][]byte

func (t tree) with(name string, data []byte) tree {
	t = maps.Clone(t)
	t[name] = data
	return t
}

func (t tree) without(name string) tree {
	t = maps.Clone(t)
	delete(t, name)
	return t
}

// under puts everything below a folder.
func (t tree) under(top string) tree {
	moved := tree{}
	for name, data := range t {
		moved[top+"/"+name] = data
	}
	return moved
}

func (t tree) names() []string { return slices.Sorted(maps.Keys(t)) }

func (t tree) folder(tb testing.TB) string {
	tb.Helper()
	root := tb.TempDir()
	for name, data := range t {
		place := filepath.Join(root, filepath.FromSlash(name))
		folder := filepath.Dir(place)
		if strings.HasSuffix(name, "/") {
			folder = place
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			tb.Fatal(err)
		}
		if folder == place {
			continue
		}
		if err := os.WriteFile(place, data, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return root
}

func (t tree) tar(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range t.names() {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(t[name])), Typeflag: tar.TypeReg}
		if strings.HasSuffix(name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write(t[name]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func (t tree) zip(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range t.names() {
		entry, err := w.Create(name)
		if err == nil && !strings.HasSuffix(name, "/") {
			_, err = entry.Write(t[name])
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func gzipped(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(data)
	w.Close()
	return out.Bytes()
}

func save(tb testing.TB, name string, data []byte) string {
	tb.Helper()
	place := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(place, data, 0o644); err != nil {
		tb.Fatal(err)
	}
	return place
}

// forms saves a tree as a folder and as every kind of archive.
func (t tree) forms(tb testing.TB) map[string]string {
	tb.Helper()
	return map[string]string{
		"folder":  t.folder(tb),
		"zip":     save(tb, "x.zip", t.zip(tb)),
		"tar":     save(tb, "x.tar", t.tar(tb)),
		"tar.gz":  save(tb, "x.tar.gz", gzipped(t.tar(tb))),
		"renamed": save(tb, "archive", gzipped(t.tar(tb))),
	}
}

// refuse checks that opening fails with an error of one line which contains all wanted parts.
func refuse(t *testing.T, spec string, wanted ...string) {
	t.Helper()
	_, err := Open(context.Background(), spec, Options{})
	if err == nil {
		t.Errorf("Open(%q) succeeded, want an error with %q", spec, wanted)
		return
	}
	for _, part := range wanted {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("Open(%q) gave %q, want %q in it", spec, err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q has more than one line", err)
	}
}
