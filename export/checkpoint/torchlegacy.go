package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"rnas/internal/pickle"
)

// torchMagic is the opcode of the number that files of the legacy form begin with, 0x1950a86a20f9469cfc6c.
const torchMagic = "\x8a\x0a" + legacyNumber

const (
	legacyNumber   = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
	legacyProtocol = 1001
)

// readTorchLegacy reads the form before PyTorch 1.6: five pickles (a magic number, the protocol, the machine, the
// object, the keys of the storages in their order), and each storage as its number of elements and its data.
func readTorchLegacy(r io.ReaderAt, size int64) ([]Tensor, error) {
	in := pickle.NewReader(io.NewSectionReader(r, 0, size), size)
	all := storages{}
	load := pickle.Loader{Find: findTorch, Limit: objectLimit(size), PersistentLoad: func(id any) (any, error) {
		s, fields, err := storageID(id, 6)
		if err != nil {
			return nil, err
		}
		if fields[5] != nil {
			return nil, fmt.Errorf("storage %s: views of storages are not read", quoteName(s.key))
		}
		return all.intern(s)
	}}
	var parts [5]any
	for i, what := range []string{"magic number", "protocol", "machine", "object", "storages"} {
		var err error
		if parts[i], err = load.Load(in); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	if parts[0] != pickle.Long(legacyNumber) || parts[1] != int64(legacyProtocol) {
		return nil, errors.New("expected the magic number and protocol 1001")
	}
	if machine, ok := parts[2].(*pickle.Dict); ok {
		if little, ok := machine.Lookup("little_endian"); ok && little != true {
			return nil, errors.New("byte order big: expected little")
		}
	}
	views, err := stateDict(parts[3])
	if err != nil {
		return nil, err
	}
	places, err := legacyPlaces(r, in.Pos(), size, parts[4], all)
	if err != nil {
		return nil, err
	}
	return tensors(views, tensorLimit(size), func(s *torchStorage) ([]byte, error) {
		at, ok := places[s]
		if !ok {
			return nil, fmt.Errorf("the file has no storage %s", quoteName(s.key))
		}
		n, _ := s.bytes(size)
		data := make([]byte, n)
		_, err := r.ReadAt(data, at)
		return data, whole(err)
	})
}

// legacyPlaces finds the data of the storages, which begins at pos.
func legacyPlaces(r io.ReaderAt, pos, size int64, order any, all storages) (map[*torchStorage]int64, error) {
	list, ok := order.(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("storages: expected a list of keys, found %s", pickle.Kind(order))
	}
	places := map[*torchStorage]int64{}
	for _, item := range list.Items {
		key, ok := item.(string)
		s := all[key]
		if !ok || s == nil {
			return nil, fmt.Errorf("storages: expected a key that a tensor refers to, found %s", quoteName(key))
		}
		if _, again := places[s]; again {
			return nil, fmt.Errorf("storage %s is there twice", quoteName(key))
		}
		var count [8]byte
		if _, err := r.ReadAt(count[:], pos); err != nil {
			return nil, fmt.Errorf("storage %s: %w", quoteName(key), whole(err))
		}
		pos += int64(len(count))
		if n := binary.LittleEndian.Uint64(count[:]); n != uint64(s.size) {
			return nil, fmt.Errorf("storage %s: %d elements, expected %d", quoteName(key), n, s.size)
		}
		n, ok := s.bytes(size - pos)
		if !ok {
			return nil, fmt.Errorf("storage %s: %d elements of %s: the file has %d bytes left", quoteName(key), s.size, typeName(s.dtype), size-pos)
		}
		places[s] = pos
		pos += n
	}
	return places, nil
}
