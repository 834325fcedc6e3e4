package dataset

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// file is a file of a source by its name, and the regular file that holds its content: another one where the name passes a link.
type file struct{ name, real string }

// LeftOut is a file or a link that a source holds and that is not read.
type LeftOut struct {
	File   string `json:"file"` // below the root of the source
	Reason string `json:"reason"`
}

// listing is what a source holds, links inside it followed. Hidden files and folders and __MACOSX are not listed; links may lead to them.
type listing struct {
	files   []file   // sorted by name within each folder
	folders []string // also those that are links
	leftOut []LeftOut

	entries  map[string]entry
	children map[string][]string // by folder, "" for the root: base names, sorted
}

// Limits of a name.
const (
	maxName  = 4096
	maxDepth = 64
)

// maxHops is the largest number of links that one name passes, as in Linux.
const maxHops = 40

// list lists a source: a folder or an archive.
func list(ctx context.Context, location string) (*listing, error) {
	return listed(func(visit visitor) error { return walk(ctx, location, visit) })
}

// listed lists what a walk visits.
func listed(walk func(visitor) error) (*listing, error) {
	l := &listing{entries: map[string]entry{}, children: map[string][]string{}}
	if err := walk(l.add); err != nil {
		return nil, err
	}
	for folder := range l.children {
		slices.Sort(l.children[folder])
	}
	return l, l.expand("", "", nil)
}

// add takes up an entry and the folders above it.
func (l *listing) add(e entry, _ io.Reader) error {
	if e.name == "" || e.name == "." {
		return nil
	}
	if _, known := l.entries[e.name]; known {
		if e.mode.IsDir() {
			return nil
		}
		return fmt.Errorf("%s: found a second time", e.name)
	}
	if len(e.name) > maxName || strings.Count(e.name, "/") > maxDepth {
		return fmt.Errorf("%.100s...: expected a name of at most %d bytes and %d folders", e.name, maxName, maxDepth)
	}
	l.entries[e.name] = e
	folder, base := path.Split(e.name)
	folder = strings.TrimSuffix(folder, "/")
	l.children[folder] = append(l.children[folder], base)
	if folder == "" {
		return nil
	}
	if above, known := l.entries[folder]; known {
		if above.mode.IsDir() {
			return nil
		}
		return fmt.Errorf("%s: expected a folder above it, found %s to be none", e.name, folder)
	}
	return l.add(entry{name: folder, mode: fs.ModeDir}, nil)
}

// expand lists the folder real under the name that it is reached by. above are the real folders on the way to it.
func (l *listing) expand(name, real string, above []string) error {
	above = append(slices.Clip(above), real)
	for _, base := range l.children[real] {
		if strings.HasPrefix(base, ".") || base == "__MACOSX" {
			continue
		}
		as := path.Join(name, base)
		if most := 16*len(l.entries) + 1000; len(l.files)+len(l.folders)+len(l.leftOut) > most {
			return fmt.Errorf("%s: links make more than %d names of %d", as, most, len(l.entries))
		}
		e, reason := l.resolve(path.Join(real, base))
		switch {
		case reason != "":
			l.leftOut = append(l.leftOut, LeftOut{as, reason})
		case e.mode.IsRegular():
			l.files = append(l.files, file{as, e.name})
		case !e.mode.IsDir():
			l.leftOut = append(l.leftOut, LeftOut{as, "expected a regular file or a folder, found " + e.mode.String()})
		case slices.Contains(above, e.name):
			l.leftOut = append(l.leftOut, LeftOut{as, "link to a folder that holds it"})
		default:
			l.folders = append(l.folders, as)
			if err := l.expand(as, e.name, above); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolve follows links to an entry that is none. The reason says why there is no such entry.
func (l *listing) resolve(name string) (e entry, reason string) {
	left, at := strings.Split(name, "/"), ""
	for hops := 0; len(left) > 0; {
		part := left[0]
		left = left[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if at == "" {
				return e, "link that leads out of the data, which is not followed"
			}
			if at = path.Dir(at); at == "." {
				at = ""
			}
			continue
		}
		found, known := l.entries[path.Join(at, part)]
		if !known {
			return e, fmt.Sprintf("link to %s, which is not there", path.Join(at, part))
		}
		if found.mode&fs.ModeSymlink == 0 {
			at = found.name
			continue
		}
		if hops++; hops > maxHops {
			return e, fmt.Sprintf("more than %d links in a chain", maxHops)
		}
		target := strings.ReplaceAll(found.target, `\`, "/")
		switch {
		case found.hard:
			at, target = "", clean(target)
		case path.IsAbs(target):
			return e, "link that leads out of the data, which is not followed"
		}
		left = append(strings.Split(target, "/"), left...)
	}
	if at == "" {
		return entry{mode: fs.ModeDir}, ""
	}
	return l.entries[at], ""
}
