package ort_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"rnas/runtime/ort"
)

func TestReadTrace(t *testing.T) {
	const text = `[
{"cat":"Session","ts":0,"dur":70,"name":"session_initialization","args":{}},
{"cat":"Node","ts":100,"dur":5,"name":"a/Add_kernel_time","args":{"op_name":"Add"}},
{"cat":"Node","ts":112,"dur":10,"name":"b/Conv_kernel_time","args":{"op_name":"Conv"}},
{"cat":"Session","ts":111,"dur":12,"name":"SequentialExecutor::Execute","args":{}},
{"cat":"Node","ts":132,"dur":20,"name":"b/Conv_kernel_time","args":{"op_name":"Conv"}},
{"cat":"Node","ts":110,"dur":50,"name":"loop_kernel_time","args":{"op_name":"Loop"}},
{"cat":"Node","ts":160,"dur":1,"name":"c_fence_after","args":{"op_name":"Mul"}},
{"cat":"Session","ts":99,"dur":80,"name":"model_run","args":{}},
{"cat":"Node","ts":200,"dur":6,"name":"a/Add_kernel_time","args":{"op_name":"Add"}},
{"cat":"Session","ts":199,"dur":9,"name":"model_run","args":{}}
]`
	path := filepath.Join(t.TempDir(), "trace.json")
	write := func(s string) {
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	const us = time.Microsecond
	want := []ort.TracedRun{
		{Time: 80 * us, Nodes: []ort.TracedNode{
			{Name: "a/Add", Op: "Add", Calls: 1, Time: 5 * us},
			{Name: "b/Conv", Op: "Conv", Calls: 2, Time: 30 * us},
			{Name: "loop", Op: "Loop", Calls: 1, Time: 20 * us},
		}},
		{Time: 9 * us, Nodes: []ort.TracedNode{{Name: "a/Add", Op: "Add", Calls: 1, Time: 6 * us}}},
	}
	found, err := ort.ReadTrace(path)
	if err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("expected\n%+v, found\n%+v, %v", want, found, err)
	}
	for _, bad := range []string{"", "no trace", text[:len(text)/2], `[{"ts":"soon"}]`} {
		write(bad)
		if found, err := ort.ReadTrace(path); err == nil {
			t.Errorf("%q: expected an error, found %v", bad, found)
		}
	}
}
