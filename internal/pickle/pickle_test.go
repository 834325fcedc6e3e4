package pickle

import (
	"fmt"
	"strings"
	"testing"
)

// load reads one pickle; the only name it knows is that of a class that is kept as data.
func load(data string) (any, *Reader, error) {
	l := Loader{Limit: &Limit{Left: 1 << 20}, Find: func(module, name string) (any, error) {
		if module+"."+name != "lib.Options" {
			return nil, fmt.Errorf("no %s.%s", module, name)
		}
		return Record("lib.Options"), nil
	}}
	in := NewReader(strings.NewReader(data), int64(len(data)))
	v, err := l.Load(in)
	return v, in, err
}

// show writes a value without cycles.
func show(v any) string {
	switch v := v.(type) {
	case Tuple:
		return "(" + all(v) + ")"
	case *List:
		return "[" + all(v.Items) + "]"
	case *Dict:
		out := "{"
		for _, p := range v.Pairs {
			out += show(p.Key) + ":" + show(p.Value) + " "
		}
		return out + "}"
	case *Object:
		return v.Class + show(v.Args) + show(v.State)
	}
	return fmt.Sprintf("%T %v", v, v)
}

func all(items []any) string {
	var out []string
	for _, v := range items {
		out = append(out, show(v))
	}
	return strings.Join(out, ", ")
}

// The pickles of a comment are those of Python's pickle.dumps.
func TestLoad(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{"\x80\x02N.", "<nil> <nil>"},
		{"\x80\x02\x88\x89\x86.", "(bool true, bool false)"},
		{"I01\n.", "bool true"},
		{"I-12\n.", "int64 -12"},
		{"L-12L\n.", "int64 -12"},
		{"\x80\x02(K\xffM\x00\x01J\xff\xff\xff\xfft.", "(int64 255, int64 256, int64 -1)"},
		{"\x80\x02\x8a\x00.", "int64 0"},
		{"\x80\x02\x8a\x05\x00\x00\x00\x00\x80.", "int64 -549755813888"}, // -1 << 39
		{"\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", "int64 -9223372036854775808"},
		{"\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00.", "pickle.Long \x00\x00\x00\x00\x00\x00\x00\x80\x00"},
		{"\x80\x02G?\xf8\x00\x00\x00\x00\x00\x00.", "float64 1.5"},
		{"\x80\x02U\x02abX\x02\x00\x00\x00cd\x86.", "(string ab, string cd)"},
		{"\x80\x04\x8c\x01a\x8d\x01\x00\x00\x00\x00\x00\x00\x00b\x86.", "(string a, string b)"},
		{"\x80\x05C\x01a\x96\x01\x00\x00\x00\x00\x00\x00\x00b\x86.", "(pickle.Bytes a, pickle.Bytes b)"},
		{"\x80\x02](K\x01K\x02eK\x03a.", "[int64 1, int64 2, int64 3]"},
		{"(K\x01K\x02l.", "[int64 1, int64 2]"},
		{"\x80\x04\x8f\x94(K\x01\x90.", "[int64 1]"},
		{"\x80\x02}(K\x01K\x02uK\x03K\x04s.", "{int64 1:int64 2 int64 3:int64 4 }"},
		{"(K\x01K\x02d.", "{int64 1:int64 2 }"},
		{"\x80\x04\x95\x04\x00\x00\x00\x00\x00\x00\x00]\x94h\x00\x86.", "([], [])"},
		{"\x80\x02]q\x05r\x00\x01\x00\x00h\x05j\x00\x01\x00\x00\x87.", "([], [], [])"},
		{"\x80\x02K\x01K\x020(K\x03K\x0410.", ""},
		{"\x80\x02K\x01K\x020.", "int64 1"},
		{"\x80\x02K\x01(K\x03K\x041.", "int64 1"},
		{"\x80\x02K\x012\x86.", "(int64 1, int64 1)"},
		{"\x80\x02clib\nOptions\n)\x81}K\x01K\x02sb.", "lib.Options(){int64 1:int64 2 }"},
		{"\x80\x04\x8c\x03lib\x8c\x07Options\x93K\x01\x85R.", "lib.Options(int64 1)<nil> <nil>"},
		{"\x80\x04\x8c\x03lib\x8c\x07Options\x93)}\x92.", "lib.Options()<nil> <nil>"},
		{"\x80\x02}}b.", "{}"},
	} {
		v, in, err := load(c.data)
		if c.want == "" {
			if err == nil {
				t.Errorf("%q: expected an error, found %s", c.data, show(v))
			}
			continue
		}
		if err != nil || show(v) != c.want || in.Left() != 0 || in.Pos() != int64(len(c.data)) {
			t.Errorf("%q: expected %s, found %s, %v, %d bytes left", c.data, c.want, show(v), err, in.Left())
		}
	}
}

func TestLoadErrors(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{"", "unexpected EOF"},
		{".", "an operand is missing"},
		{"\x80\x02cos\nsystem\n.", "offset 13: GLOBAL: no os.system"},
		{"\x80\x02clib\nOptions", "GLOBAL: unexpected EOF"},
		{"c" + strings.Repeat("a", 2000) + "\n", "a line of more than 1000 bytes"},
		{"\x80\x04K\x01K\x02\x93.", "expected a module and a name, found int and int"},
		{"\x80\x02clib\nOptions\nK\x01R.", "expected a tuple of arguments, found int"},
		{"\x80\x04clib\nOptions\n)}K\x01K\x02s\x92.", "named arguments"},
		{"\x80\x04clib\nOptions\n))\x92.", "expected a tuple and a dict of arguments, found tuple and tuple"},
		{"\x80\x02K\x01K\x02a.", "expected a list, found int"},
		{"\x80\x02K\x01K\x02K\x03s.", "expected a dict, found int"},
		{"\x80\x02K\x01}b.", "expected an object, found int"},
		{"\x80\x02K\x01Q.", "data outside the pickle"},
		{"\x80\x05\x97.", "opcode 0x97 is not one of"},
		{"Ix\n.", "invalid syntax"},
		{"L99999999999999999999L\n.", "out of range"},
		{"\x80\x02\x8b\xff\xff\xff\xff.", "the file has 1 left"},
		{"\x80\x02" + strings.Repeat("]", 1<<15), "more objects than a file of tensors has"},
	} {
		if v, _, err := load(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: expected %q, found %v, %v", c.data[:min(len(c.data), 40)], c.want, v, err)
		}
	}
}

func TestLookup(t *testing.T) {
	v, _, err := load("\x80\x02}(U\x01aK\x01U\x01bK\x02U\x01aK\x03u.")
	if err != nil {
		t.Fatal(err)
	}
	d := v.(*Dict)
	if a, ok := d.Lookup("a"); !ok || a != int64(3) {
		t.Errorf("found %v", a)
	}
	if _, ok := d.Lookup("c"); ok {
		t.Error("a key that is not there was found")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("\x80\x02}(U\x01aK\x01U\x01bK\x02U\x01aK\x03u.")
	f.Add("\x80\x04\x8c\x03lib\x8c\x07Options\x93)}\x92.")
	f.Add("\x80\x02]q\x05r\x00\x01\x00\x00h\x05j\x00\x01\x00\x00\x87.")
	f.Add("\x80\x05C\x01a\x96\x01\x00\x00\x00\x00\x00\x00\x00b\x86.")
	f.Fuzz(func(t *testing.T, data string) {
		if _, in, err := load(data); err == nil && in.Pos() > int64(len(data)) {
			t.Errorf("%d of %d bytes were read", in.Pos(), len(data))
		}
	})
}
