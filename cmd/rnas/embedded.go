package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"

	"rnas/export"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/train"
)

// trainedOnEmbedded reports, as an error, the models that their metadata do not tell to be trained on the embedded images, so that these are
// no measure of them.
func trainedOnEmbedded(ctx context.Context, models []string) error {
	digest := ""
	for _, path := range models {
		content, err := os.ReadFile(path)
		if err != nil {
			return fault.Input(err)
		}
		h, err := export.ReadHeader(content)
		if err != nil {
			return fault.Inputf("%s: %w", path, err)
		}
		var training struct {
			Train string `json:"train_digest"`
		}
		if text := h.Metadata[train.MetaTraining]; text != "" && json.Unmarshal([]byte(text), &training) == nil && training.Train != "" {
			if digest == "" {
				embedded, err := dataset.Open(ctx, "synthetic", dataset.Options{})
				if err != nil {
					return err
				}
				digest = embedded.Train.Digest()
			}
			if training.Train == digest {
				continue
			}
		}
		return fault.Inputf("--data: expected images of the classes that %s is trained on, found none given: %s; --data synthetic stands for the embedded images",
			path, strings.TrimSuffix(dataset.Usage(), ", each with ?OPTIONS"))
	}
	return nil
}
