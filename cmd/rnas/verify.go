package main

import (
	"context"
	"errors"
	"fmt"

	"rnas/bench/inspect"
	"rnas/internal/fault"

	"github.com/spf13/pflag"
)

const verifyDetail = `Three checks: onnx-go, a decoder of others, reads the same graph from the file; types and shapes of all values follow
from the inputs; ONNX Runtime computes what a reference interpreter does in double precision, on random inputs. With
--against, two models are compared on the same inputs. Any difference beyond the limit is a failure (status 1).`

func verifyCommand(f *pflag.FlagSet) action {
	var o inspect.VerifyOptions
	var r runtimeFlags
	f.StringVar(&o.Against, "against", "", "compare with the outputs of this model too")
	f.Float64Var(&o.Tolerance, "tol", 1e-5, "difference allowed, relative to the largest magnitude of an output and to 1 at least")
	f.Int64Var(&o.Batch, "batch", 4, "images, where the model leaves their number open")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of the random inputs")
	var m modelFlags
	m.add(f)
	r.add(f)
	asJSON := addJSON(f)
	return func(ctx context.Context, c *console, args []string) error {
		if err := arguments(args, 1, 1, "one model file"); err != nil {
			return err
		}
		if !(o.Tolerance > 0) || o.Batch < 1 {
			return fault.Inputf("--tol, --batch: expected a positive tolerance and at least 1 image, found %v and %d", o.Tolerance, o.Batch)
		}
		var err error
		if o.Model, err = m.read(); err != nil {
			return err
		}
		if o.Runtime, err = r.open(); err != nil {
			return err
		}
		checks, err := inspect.Verify(ctx, args[0], o)
		if err != nil {
			return fault.Input(err)
		}
		if *asJSON {
			err = printJSON(c.out, checks)
		} else {
			err = printChecks(c, checks)
		}
		if err != nil {
			return err
		}
		for _, check := range checks {
			if !check.OK {
				return silent{errors.New(check.Name)}
			}
		}
		return nil
	}
}

func printChecks(c *console, checks []inspect.Check) error {
	t := newTable(c.out)
	t.row("check", "result", "difference", "limit", "")
	for _, check := range checks {
		result, difference, limit := "ok", "", ""
		if !check.OK {
			result = "FAILED"
		}
		if check.Limit > 0 {
			difference, limit = fmt.Sprintf("%.2g", check.Difference), fmt.Sprintf("%.2g", check.Limit)
		}
		t.row(check.Name, result, difference, limit, check.Detail)
	}
	return t.flush()
}
