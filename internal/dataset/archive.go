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
	"path/filepath"
	"strings"
)

// An archive may expand to expansionBase + expansionRatio times its own size, all entries together.
const (
	expansionBase  = 64 << 20
	expansionRatio = 256
)

// maxArray is the largest file taken from an archive as a whole, in bytes.
const maxArray = 4 << 30

// entry is a file, a folder or a link of a source, as a walk finds it. Names are slash-separated and relative.
type entry struct {
	name   string
	mode   fs.FileMode
	target string // of a link: where it leads, relative to the folder of the link; from the root where hard
	hard   bool   // a second name of an entry of a tar
}

// visitor is called with each entry of a source. The content of a regular file is read from r.
type visitor func(e entry, r io.Reader) error

// walk visits what lies in a folder, a .zip, a .tar or a .tar.gz, told apart by content, in the order of the archive,
// folders sorted by name. Links are not followed.
func walk(ctx context.Context, location string, visit visitor) error {
	info, err := os.Stat(location)
	switch {
	case err != nil:
		return errors.Unwrap(err) // without the path, which the caller has
	case info.IsDir():
		return walkFolder(ctx, location, visit)
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

// walkFolder visits a folder. A file is opened at its first read, and only inside the folder.
func walkFolder(ctx context.Context, location string, visit visitor) error {
	root, err := os.OpenRoot(location)
	if err != nil {
		return errors.Unwrap(err)
	}
	defer root.Close()
	base, err := filepath.EvalSymlinks(location)
	if err == nil {
		base, err = filepath.Abs(base)
	}
	if err != nil {
		return err
	}
	return fs.WalkDir(root.FS(), ".", func(name string, found fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case name == ".":
			return nil
		}
		e := entry{name: name, mode: found.Type()}
		if e.mode&fs.ModeSymlink != 0 {
			if e.target, err = root.Readlink(filepath.FromSlash(name)); err != nil {
				return err
			}
			if rest, err := filepath.Rel(base, e.target); err == nil && filepath.IsAbs(e.target) && filepath.IsLocal(rest) {
				e.target, e.hard = rest, true // names a place below the root in full
			}
			e.target = filepath.ToSlash(e.target)
		}
		file := &lateFile{root: root, name: filepath.FromSlash(name)}
		defer file.Close()
		return visit(e, file)
	})
}

// lateFile is a file that is opened at its first read.
type lateFile struct {
	root *os.Root
	name string
	*os.File
}

func (f *lateFile) Read(p []byte) (n int, err error) {
	if f.File == nil {
		if f.File, err = f.root.Open(f.name); err != nil {
			return 0, errors.Unwrap(err)
		}
	}
	return f.File.Read(p)
}

func (f *lateFile) Close() error {
	if f.File == nil {
		return nil
	}
	return f.File.Close()
}

// maxTarget is the longest target of a link in a .zip, in bytes.
const maxTarget = 4096

func walkZip(ctx context.Context, r io.ReaderAt, size int64, visit visitor) error {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return err
	}
	budget := newBudget(size)
	for _, f := range archive.File {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e := entry{name: clean(f.Name), mode: f.Mode().Type()}
		content, err := f.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		stream := budget.reader(content)
		if e.mode&fs.ModeSymlink != 0 {
			var target []byte
			if target, err = readEntry(stream, maxTarget); err != nil {
				err = fmt.Errorf("%s: %w", e.name, err)
			}
			e.target = string(target)
		}
		if err == nil {
			err = visit(e, stream)
		}
		content.Close()
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
		e := entry{name: clean(header.Name), mode: header.FileInfo().Mode().Type(), target: header.Linkname}
		if e.hard = header.Typeflag == tar.TypeLink; e.hard {
			e.mode = fs.ModeSymlink
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := visit(e, content); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
}

// fetch calls take with the files of a source that it wants, in the order of a walk. Those that are links are read where the links lead.
func fetch(ctx context.Context, location string, files []file, take func(f file, r io.Reader) error) error {
	wanted := map[string][]file{}
	for _, f := range files {
		wanted[f.real] = append(wanted[f.real], f)
	}
	return walk(ctx, location, func(e entry, r io.Reader) error {
		names := wanted[e.name]
		if len(names) == 0 || !e.mode.IsRegular() {
			return nil
		}
		if len(names) == 1 {
			return take(names[0], r)
		}
		data, err := readEntry(r, maxArray)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		for _, f := range names {
			if err := take(f, bytes.NewReader(data)); err != nil {
				return err
			}
		}
		return nil
	})
}

// collect reads the files whose base name key maps to a non-empty key. It is an error if two have the same key.
func collect(ctx context.Context, location string, key func(base string) string) (map[string][]byte, error) {
	all, err := list(ctx, location)
	if err != nil {
		return nil, err
	}
	contents := map[string][]byte{}
	var wanted []file
	seen := map[string]string{}
	for _, f := range all.files {
		k := key(path.Base(f.name))
		if k == "" {
			continue
		}
		if seen[k] != "" {
			return nil, fmt.Errorf("%s: found a second time, after %s", f.name, seen[k])
		}
		seen[k] = f.name
		wanted = append(wanted, f)
	}
	err = fetch(ctx, location, wanted, func(f file, r io.Reader) error {
		data, err := readEntry(r, maxArray)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		contents[key(path.Base(f.name))] = data
		return nil
	})
	return contents, err
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
