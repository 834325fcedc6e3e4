package dataset

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// An archive may expand to expansionBase + expansionRatio times its own size, all entries together.
const (
	expansionBase  = 64 << 20
	expansionRatio = 256
)

// maxArray is the largest file taken from an archive as a whole, in bytes.
const maxArray = 4 << 30

// visitor is called with each folder (r nil) and each regular file of a source. Names are slash-separated and relative.
type visitor func(name string, r io.Reader) error

// walk visits what lies in a folder, a .zip, a .tar or a .tar.gz, told apart by content, in the order of the archive,
// folders sorted by name. Hidden files and folders and __MACOSX are left out.
func walk(ctx context.Context, location string, visit visitor) error {
	info, err := os.Stat(location)
	switch {
	case err != nil:
		return errors.Unwrap(err) // without the path, which the caller has
	case info.IsDir():
		return walkFolder(ctx, os.DirFS(location), visit)
	case !info.Mode().IsRegular():
		return fmt.Errorf("expected a folder or a file, found %s", info.Mode().Type())
	}
	file, err := os.Open(location)
	if err != nil {
		return errors.Unwrap(err)
	}
	defer file.Close()
	return walkArchive(ctx, file, info.Size(), visit)
}

// walkArchive visits the entries of an archive of size bytes.
func walkArchive(ctx context.Context, r io.ReaderAt, size int64, visit visitor) error {
	magic := make([]byte, 4)
	if _, err := r.ReadAt(magic, 0); err != nil {
		return fmt.Errorf("expected a folder, .zip, .tar or .tar.gz, found a file of %d bytes", size)
	}
	stream := io.Reader(io.NewSectionReader(r, 0, size))
	switch {
	case bytes.HasPrefix(magic, []byte("PK")):
		return walkZip(ctx, r, size, visit)
	case bytes.HasPrefix(magic, gzipMagic):
		unzipped, err := gzip.NewReader(stream)
		if err != nil {
			return err
		}
		stream = newBudget(size).reader(unzipped)
	}
	return walkTar(ctx, stream, size, visit)
}

var gzipMagic = []byte{0x1f, 0x8b}

func walkFolder(ctx context.Context, folder fs.FS, visit visitor) error {
	return fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case name == ".":
			return nil
		case hidden(name) && entry.IsDir():
			return fs.SkipDir
		case hidden(name):
			return nil
		case entry.IsDir():
			return visit(name, nil)
		}
		info, err := fs.Stat(folder, name) // follows links
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s: expected a regular file or a folder, found %s", name, entry.Type())
		}
		file, err := folder.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		return visit(name, file)
	})
}

func walkZip(ctx context.Context, r io.ReaderAt, size int64, visit visitor) error {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return err
	}
	budget := newBudget(size)
	for _, f := range archive.File {
		name := clean(f.Name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case hidden(name):
		case f.Mode().IsDir():
			err = visit(name, nil)
		case f.Mode().IsRegular():
			var content io.ReadCloser
			if content, err = f.Open(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			err = visit(name, budget.reader(content))
			content.Close()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func walkTar(ctx context.Context, stream io.Reader, size int64, visit visitor) error {
	counted := &counter{r: stream}
	archive := tar.NewReader(counted)
	budget := newBudget(size) // of the entries: a sparse one reads longer than what is stored
	content := budget.reader(archive)
	for {
		end := (counted.n + 511) &^ 511
		header, err := archive.Next()
		if err == io.EOF {
			if counted.n < end+512 {
				return fmt.Errorf("tar: expected an end-of-archive block at byte %d, found the end: truncated", end)
			}
			_, err = io.Copy(io.Discard, counted) // a .gz is only checked at its end
			return err
		}
		if err != nil {
			return fmt.Errorf("tar: entry at byte %d: %w", end, err)
		}
		name := clean(header.Name)
		mode := header.FileInfo().Mode()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case hidden(name):
		case mode.IsDir():
			err = visit(name, nil)
		case mode.IsRegular():
			err = visit(name, content)
		}
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
}

// collect reads the files whose base name key maps to a non-empty key. It is an error if two have the same key.
func collect(ctx context.Context, location string, key func(base string) string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := walk(ctx, location, func(name string, r io.Reader) error {
		k := key(path.Base(name))
		if r == nil || k == "" {
			return nil
		}
		if files[k] != nil {
			return fmt.Errorf("%s: found a second time", name)
		}
		data, err := readEntry(r, maxArray)
		files[k] = data
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return files, err
}

// readEntry reads all of r, at most limit bytes. The result is not nil unless there is an error.
func readEntry(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("expected at most %d bytes, found more", limit)
	}
	return data, nil
}

func clean(name string) string {
	return path.Clean("/" + strings.ReplaceAll(name, `\`, "/"))[1:]
}

func hidden(name string) bool {
	return name == "" || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || strings.HasPrefix(name, "__MACOSX")
}

// budget is the number of bytes an archive may still expand to.
type budget struct{ left, limit, size int64 }

func newBudget(size int64) *budget {
	limit := expansionBase + expansionRatio*size
	return &budget{limit, limit, size}
}

func (b *budget) reader(r io.Reader) io.Reader { return &budgetReader{r, b} }

type budgetReader struct {
	r io.Reader
	*budget
}

func (b *budgetReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%d bytes expand to more than %d", b.size, b.limit)
	}
	return n, err
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
