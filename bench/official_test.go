package bench

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"rnas/internal/dataset"
)

// officialRecord is what tools/autoattack wrote of the official AutoAttack on one network.
type officialRecord struct {
	Clean   officialOutcome
	Attacks []officialOutcome // each after those before it
}

type officialOutcome struct {
	Name   string
	Points string // one byte per image of points.npz, '1' where the network withstands
}

// TestOfficialAutoAttack has the clean predictions of the official code, and its survivors of APGD-CE: the random starts differ,
// so that one of these images may go the other way.
func TestOfficialAutoAttack(t *testing.T) {
	const count = 50
	folder := filepath.Join("..", "testdata", "autoattack")
	var records map[string]officialRecord
	if err := json.Unmarshal(contents(t, filepath.Join(folder, "official.json")), &records); err != nil {
		t.Fatal(err)
	}
	splits, err := dataset.Open(context.Background(), "npz:"+filepath.Join(folder, "points.npz"), dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	head := make([]int, count)
	for i := range head {
		head[i] = i
	}
	for name, record := range records {
		t.Run(name, func(t *testing.T) {
			o := options(t, "apgd-ce")
			o.Settings.Epsilon, o.Dir = 8./255, t.TempDir()
			run(t, o, splits.Test.Subset(head), filepath.Join(folder, name+".onnx"))
			rows, err := csv.NewReader(bytes.NewReader(contents(t, filepath.Join(o.Dir, pointsFile)))).ReadAll()
			if err != nil || len(rows) != 1+count {
				t.Fatalf("expected %d lines, found %v, %v", 1+count, rows, err)
			}
			label, clean, robust := slices.Index(rows[0], "label"), slices.Index(rows[0], "clean"), slices.Index(rows[0], "apgd-ce_robust")
			differ := 0
			for i, row := range rows[1:] {
				if official := record.Clean.Points[i] == '1'; official != (row[clean] == row[label]) {
					t.Errorf("point %d: right without attack: expected %v, found class %s of %s", i, official, row[clean], row[label])
				}
				if row[robust] != record.Attacks[0].Points[i:i+1] {
					differ++
				}
			}
			if differ > 1 {
				t.Errorf("expected the survivors of the official code, found a difference at %d of %d points", differ, count)
			}
		})
	}
}
