package study

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"

	"rnas/internal/atomicfile"
)

// Files of the cost, which is another every time.
const (
	costTable = "cost.csv" // a row a job
	costText  = "cost.md"  // a row for the jobs of an arm and stage
)

// writeCost writes what the jobs have cost: seconds of all attempts, except for the last moments of those that were killed.
func writeCost(dir string, f *File, r *results) error {
	lines := [][]string{{"arm", "seed", "stage", "cpu_seconds", "wall_seconds"}}
	type key struct{ arm, stage string }
	sums, jobs := map[key]Cost{}, map[key]int{}
	for _, row := range r.rows {
		c, err := readCost(filepath.Join(dir, jobsDir, row.job.Name()))
		if err != nil {
			return err
		}
		j := row.job
		lines = append(lines, []string{j.Arm.Name, strconv.FormatUint(j.Seed, 10), j.Stage, seconds(c.CPU), seconds(c.Wall)})
		k := key{j.Arm.Name, j.Stage}
		sums[k] = Cost{sums[k].CPU + c.CPU, sums[k].Wall + c.Wall}
		jobs[k]++
	}
	table, err := csvText(lines)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, costTable), table); err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("Seconds of all attempts, those of the CPU over all threads.\n\n")
	b.WriteString("| arm | stage | jobs | CPU seconds a job | seconds a job | CPU seconds in all |\n|---|---|--:|--:|--:|--:|\n")
	total := 0.0
	for i := range f.Arms {
		a := &f.Arms[i]
		for _, stage := range f.stages(a) {
			k := key{a.Name, stage}
			n := float64(jobs[k])
			fmt.Fprintf(&b, "| %s | %s | %d | %.1f | %.1f | %.1f |\n", a.Name, stage, jobs[k], sums[k].CPU/n, sums[k].Wall/n, sums[k].CPU)
			total += sums[k].CPU
		}
	}
	fmt.Fprintf(&b, "\nAll jobs: %.1f CPU minutes.\n", total/60)
	return atomicfile.WriteBytes(filepath.Join(dir, costText), b.Bytes())
}

func seconds(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
