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

// writePoints writes one line per model and point: path, index (the row of the split of the source), label, clean prediction, for each
// attack the prediction on the adversarial image (empty when the point was not attacked, -1 for logits that are not numbers) and whether the
// point is robust, and, of sources of files, the file. Labels and predictions are places in the logits of the model.
func writePoints(path string, attacks []attack.Attack, data *dataset.Dataset, models []modelPoints) error {
	header := []string{"path", "index", "label", "clean"}
	for _, a := range attacks {
		header = append(header, a.Name, a.Name+"_robust")
	}
	if data.Files != nil {
		header = append(header, "file")
	}
	return atomicfile.Write(path, func(out io.Writer) error {
		w := csv.NewWriter(out)
		if err := w.Write(header); err != nil {
			return err
		}
		for _, m := range models {
			for p, label := range m.data.Labels {
				line := []string{m.path, strconv.Itoa(data.Row(p)), strconv.Itoa(int(label)), strconv.Itoa(m.clean[p])}
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
				if data.Files != nil {
					line = append(line, data.File(p))
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

// places are the points of the data by their rows in the split of the source.
func places(data *dataset.Dataset) map[int]int {
	at := make(map[int]int, data.Len())
	for p := range data.Len() {
		at[data.Row(p)] = p
	}
	return at
}
