# Targets: demo and test each do all the set-up that they need.
GO          ?= go
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
BENCHTIME   ?= 5x
ONNX_CASES  := 1.22.0
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: all build ort cases demo test conformance check bench compare autoattack fuzz test-cuda clean

all: build

build: ## bin/rnas
	$(GO) build -ldflags "-X main.version=$(VERSION)" -o bin/rnas ./cmd/rnas

ort: ## the ONNX Runtime library, into the project's cache if none is there
	@tools/fetch-onnxruntime.sh

demo: ort build ## search, train, export and attack on the embedded data
	bin/rnas run --preset demo --out runs/demo

test: ort ## all tests
	$(GO) test -timeout 30m ./...

cases: ## ONNX's own test cases, into the project's cache if the Python package is not installed
	@tools/onnx-cases.sh $(ONNX_CASES)

conformance: cases ## every case through reader, inference, interpreter and gradients; writes docs/conformance.md
	$(GO) test -count=1 -run TestCases -v ./export/conformance -update

check: ## format, vet, staticcheck, tidy modules, clean tree
	@out=$$($(GO) run $(GOFUMPT) -l .) && test -z "$$out" || { echo "gofumpt: these files need formatting:" $$out; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff
	@test -z "$$(git status --porcelain)" || { echo "the tree is not clean:"; git status --short; exit 1; }

bench: ort ## time of each kind of program; BENCHTIME=10x for steadier figures
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) -timeout 60m ./compiler/... ./runtime/... ./train/... ./internal/...

compare: ort ## our times beside PyTorch's, into docs/results/speed.md; COMPARE="--torch 1.13.1 --cases train" for options
	tools/compare/compare.py $(COMPARE)

autoattack: ort build ## AutoAttack beside the official code's results, into docs/results/autoattack.md
	tools/autoattack/main.py compare $(AUTOATTACK)

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME, a time or a number of executions such as 1000000x
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$pkg || exit 1; \
	  done; \
	done

test-cuda: ## the tests that need an NVIDIA GPU, on a library with the CUDA provider
	RNAS_ORT=gpu tools/fetch-onnxruntime.sh
	$(GO) test -count=1 -tags cuda -run CUDA -v ./compiler/program

clean:
	rm -rf bin runs .cache
