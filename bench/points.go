package bench

import (
	"encoding/csv"
	"io"
	"strconv"

	"rnas/bench/attack"
	"rnas/internal/atomicfile"
	"rnas/internal/dataset"
)

const pointsFile = "points.csv"

// writePoints writes one line per model and point: path, index, label, clean prediction, and for each attack the
// prediction on the adversarial image (empty when the point was not attacked, -1 for logits that are not numbers) and
// whether the point is robust.
func writePoints(path string, attacks []attack.Attack, data *dataset.Dataset, models []modelPoints) error {
	header := []string{"path", "index", "label", "clean"}
	for _, a := range attacks {
		header = append(header, a.Name, a.Name+"_robust")
	}
	return atomicfile.Write(path, func(out io.Writer) error {
		w := csv.NewWriter(out)
		if err := w.Write(header); err != nil {
			return err
		}
		for _, m := range models {
			for p, label := range data.Labels {
				line := []string{m.path, strconv.Itoa(p), strconv.Itoa(int(label)), strconv.Itoa(m.clean[p])}
				for _, predictions := range m.attacks {
					prediction, attacked := predictions[p]
					text, robust := "", "0"
					if attacked {
						text = strconv.Itoa(prediction)
					}
					if attacked && prediction == int(label) {
						robust = "1"
					}
					line = append(line, text, robust)
				}
				if err := w.Write(line); err != nil {
					return err
				}
			}
		}
		w.Flush()
		return w.Error()
	})
}
