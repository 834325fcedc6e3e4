package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"rnas/bench/adapt"
	"rnas/compiler/ir"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
)

// model is an ONNX file that is loaded for plain inference: as it is where it takes images as they are and gives logits, else adapted.
type model struct {
	path    string
	bytes   []byte // of the file
	runs    []byte // what plain inference runs: bytes, or the adapted model
	sha256  string
	batch   int  // images in a batch
	free    bool // whether the file leaves the batch size open
	classes int
	names   []string         // of the classes by the metadata, nil for none
	data    *dataset.Dataset // with labels that are places in the logits
	note    string           // what is doubtful about the classes, "" for nothing
	session *ort.Session
	image   []int64 // C,H,W
	flags   adapt.Flags
	images  adapt.Images
	words   []string // what was adapted
}

// fewestRows is the smallest batch of models that leave its size open. ONNX Runtime has another kernel for matrices of one row, which rounds
// differently, so that the logits of a batch of one would differ from those of any other batch.
const fewestRows = 2

// openModel loads a file and adapts it to the data (see package adapt). If the file fixes the batch size, that is the batch.
func openModel(path string, data *dataset.Dataset, batch int, flags adapt.Flags, o ort.Options) (*model, error) {
	content, err := export.Load(path)
	if err != nil {
		return nil, fault.Input(err)
	}
	sum := sha256.Sum256(content)
	m := &model{path: path, bytes: content, flags: flags, sha256: hex.EncodeToString(sum[:]), batch: max(fewestRows, min(batch, data.Len()))}
	m.images = adapt.Images{Classes: len(data.Classes), Name: data.Name}
	for _, d := range data.Shape {
		m.images.Shape = append(m.images.Shape, int64(d))
	}
	if err := m.open(o); err != nil {
		return nil, err
	}
	m.names = classNames(content)
	if err := m.fit(data); err != nil {
		m.Close() // frees memory only
		return nil, fault.Input(err)
	}
	return m, nil
}

// open adapts the file and starts its session.
func (m *model) open(o ort.Options) error {
	a, err := adapt.Read(m.bytes, filepath.Dir(m.path), m.flags, m.images, adapt.Size{Needed: int64(m.batch)})
	if err != nil {
		return fault.Input(err)
	}
	m.runs = m.bytes
	m.free = a.Symbolic()
	if a.Plain {
		var sig export.Signature
		if sig, err = export.ReadSignature(m.bytes); err != nil {
			return fault.Input(err)
		}
		m.free = sig.Inputs[0].Dims == nil || sig.Inputs[0].Dims[0] == ir.N
	} else if m.runs, err = export.Marshal(a.Graph, export.Options{}); err != nil {
		return fault.Input(err)
	}
	if !m.free {
		m.batch = int(a.Graph.Inputs[0].Shape[0])
	}
	m.classes, m.image, m.words = a.Classes(), a.Image(), a.Words
	m.session, err = ort.NewSession(m.runs, o.Beside(m.path))
	return fault.Input(err)
}

// fit takes over the classes of the data as places in the logits.
func (m *model) fit(data *dataset.Dataset) (err error) {
	if m.data, m.note, err = fitClasses(data, m.names, m.classes); err != nil {
		return fmt.Errorf("%w in %s", err, m.session.Outputs()[0])
	}
	m.classes = len(m.data.Classes)
	return nil
}

// rows is the number of rows of a run on n images: the next multiple of rowStep, at most a batch. Off the CPU, where kernels are chosen anew
// for each shape, it is always the batch.
func (m *model) rows(n int) int {
	if !m.free || !m.session.Provider().IsCPU() {
		return m.batch
	}
	return min((n+rowStep-1)/rowStep*rowStep, m.batch)
}

// rowStep keeps the number of different shapes small.
const rowStep = 8

// logits runs plain inference on images [rows,C,H,W], where rows is the batch or a result of model.rows. The result is [rows,K].
func (m *model) logits(images []float32) ([]float32, error) {
	in := m.input(images)
	out, err := m.session.RunAlloc([]*tensor.Tensor{in})
	if err != nil {
		return nil, err
	}
	shape := out[0].Shape
	if len(shape) != 2 || shape[0] != in.Shape[0] || shape[1] != int64(m.classes) {
		return nil, fmt.Errorf("expected logits of shape [%d %d], found %v", in.Shape[0], m.classes, shape)
	}
	return out[0].Float32s(), nil
}

// input is images [rows,C,H,W] as a tensor.
func (m *model) input(images []float32) *tensor.Tensor {
	return tensor.Of(append([]int64{int64(len(images)) / ir.Shape(m.image).Numel()}, m.image...), images...)
}

// row is the logits [K] of one image in those of a run [rows,K].
func (m *model) row(logits []float32, i int) []float32 { return logits[i*m.classes : (i+1)*m.classes] }

// classifier is the adapted model as a graph to be differentiated, for a batch size. Normalisations are merged into the weights, and the
// passes of the provider are done.
func (m *model) classifier(batch int) (program.Classifier, error) {
	a, err := adapt.Read(m.bytes, filepath.Dir(m.path), m.flags, m.images, adapt.Size{Fixed: int64(batch)})
	if err != nil {
		return program.Classifier{}, fault.Input(err)
	}
	if err := pass.Run(a.Graph, runtime.ForwardPasses(m.session.Provider())); err != nil {
		return program.Classifier{}, err
	}
	c, err := program.NewClassifier(a.Graph)
	return c, fault.Input(err)
}

// regular is classifier for attacks: with gradients of 0 where some are infinite.
func (m *model) regular(batch int) (program.Classifier, error) {
	c, err := m.classifier(batch)
	if err != nil {
		return c, err
	}
	return c.Regular()
}

func (m *model) Close() error { return m.session.Close() }
