package export

import (
	"reflect"
	"strings"
	"testing"
)

// attributeOf decodes the attribute "a" that the parts describe.
func attributeOf(parts ...any) (any, error) {
	data := proto(append([]any{attrName, "a"}, parts...)...).concat()
	d := &decoder{memory: newMemory(int64(len(data))), external: &external{}}
	n := &nodeProto{}
	err := d.attribute(n, field{b: data}, 0)
	return n.attrs["a"], err
}

func TestAttributeKinds(t *testing.T) {
	for name, c := range map[string]struct {
		parts []any
		want  any
	}{
		"the last integer counts":     {[]any{attrType, kindInt, attrInt, 1, attrInt, 2}, int64(2)},
		"a number that is left out":   {[]any{attrType, kindInt}, int64(0)},
		"integers one by one":         {[]any{attrType, kindInts, attrInts, 3, attrInts, 4}, []int64{3, 4}},
		"no strings":                  {[]any{attrType, kindStrings}, []string{}},
		"strings":                     {[]any{attrType, kindStrings, attrStrings, "b", attrStrings, "c"}, []string{"b", "c"}},
		"the kind tells":              {[]any{attrType, kindString, attrString, "s", attrInt, 1}, "s"},
		"the field tells":             {[]any{attrString, "s"}, "s"},
		"the attribute of the caller": {[]any{attrType, kindInt, attrRef, "b"}, reference("b")},
		"a graph":                     {[]any{attrType, kindGraph, attrGraph, proto(graphName, "g")}, &graphProto{name: "g"}},
	} {
		if got, err := attributeOf(c.parts...); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %#v, %v, want %#v", name, got, err, c.want)
		}
	}
	for want, parts := range map[string][]any{
		"byte 0: attribute a has no type":                        {attrInt, 1, attrString, "s"},
		"byte 0: attribute a: kind type list is not supported":   {attrType, 14},
		"byte 0: attribute a: kind 99 is not known":              {attrType, 99},
		"byte 0: attribute a: expected 1 tensor, found 0":        {attrType, kindTensor},
		"byte 0: attribute a: expected 1 graph, found 2":         {attrType, kindGraph, attrGraph, proto(), attrGraph, proto()},
		"byte 0: attribute a: expected 1 sparse tensor, found 0": {attrType, kindSparse},
		`attribute a: tensor "": byte 8: no element type`:        {attrType, kindTensor, attrTensor, proto()},
		"field 3 has wire type 2, expected 0":                    {attrType, kindInt, attrInt, "s"},
	} {
		if _, err := attributeOf(parts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
