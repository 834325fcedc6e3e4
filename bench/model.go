package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
)

// model is an ONNX file that is loaded as it is for plain inference.
type model struct {
	path    string
	bytes   []byte
	sha256  string
	batch   int  // images in a batch
	free    bool // whether the file leaves the batch size open
	classes int
	names   []string         // of the classes by the metadata, nil for none
	data    *dataset.Dataset // with labels that are places in the logits
	note    string           // what is doubtful about the classes, "" for nothing
	session *ort.Session
	dtype   tensor.DType // type of the input
	image   []int64      // C,H,W
}

// fewestRows is the smallest batch of models that leave its size open. ONNX Runtime has another kernel for matrices of one row, which rounds
// differently, so that the logits of a batch of one would differ from those of any other batch.
const fewestRows = 2

// openModel loads a file and checks its input and logits against the data. If the file fixes the batch size, that is the batch.
func openModel(path string, data *dataset.Dataset, batch int, o ort.Options) (*model, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Input(err)
	}
	session, err := ort.NewSession(content, o.Beside(path))
	if err != nil {
		return nil, fault.Input(err)
	}
	sum := sha256.Sum256(content)
	m := &model{
		path: path, bytes: content, sha256: hex.EncodeToString(sum[:]), session: session,
		batch: max(fewestRows, min(batch, data.Len())), free: true,
	}
	m.names = classNames(content)
	err = m.shape(data)
	if err == nil {
		err = m.fit(data)
	}
	if err != nil {
		session.Close()
		return nil, fault.Input(err)
	}
	return m, nil
}

// shape checks the input and the logits of the file against the data, and takes over a fixed batch size.
func (m *model) shape(data *dataset.Dataset) error {
	in := m.session.Inputs()
	want := fmt.Sprintf("expected one input float32[N,%d,%d,%d] as in %s", data.Shape[0], data.Shape[1], data.Shape[2], data.Name)
	if len(in) != 1 {
		return fmt.Errorf("%s, found %d inputs %v", want, len(in), in)
	}
	ok := in[0].DType.IsFloat() && (!in[0].Ranked || len(in[0].Shape) == 4)
	if ok && in[0].Ranked {
		for i, d := range data.Shape {
			ok = ok && (in[0].Shape[i+1] == int64(d) || in[0].Shape[i+1] < 0)
		}
		if b := in[0].Shape[0]; b >= 0 {
			ok = ok && b > 0
			m.batch, m.free = int(b), false
		}
	}
	if !ok {
		return fmt.Errorf("%s, found %s", want, in[0])
	}
	out := m.session.Outputs()[0]
	if !out.DType.IsFloat() || out.Ranked && len(out.Shape) != 2 {
		return fmt.Errorf("expected logits float32[N,%d] for the %d classes of %s, found %s", len(data.Classes), len(data.Classes), data.Name, out)
	}
	if m.classes = -1; out.Ranked {
		m.classes = int(out.Shape[1])
	}
	m.image = []int64{int64(data.Shape[0]), int64(data.Shape[1]), int64(data.Shape[2])}
	m.dtype = in[0].DType
	return nil
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
	in := m.tensor(images)
	out, err := m.session.RunAlloc([]*tensor.Tensor{in})
	if err != nil {
		return nil, err
	}
	shape := out[0].Shape
	if len(shape) != 2 || shape[0] != in.Shape[0] || shape[1] != int64(m.classes) {
		return nil, fmt.Errorf("expected logits of shape [%d %d], found %v", in.Shape[0], m.classes, shape)
	}
	return float32s(out[0]), nil
}

// row is the logits [K] of one image in those of a run [rows,K].
func (m *model) row(logits []float32, i int) []float32 { return logits[i*m.classes : (i+1)*m.classes] }

// tensor is images [rows,C,H,W] as an input of the file, rounded to its type.
func (m *model) tensor(images []float32) *tensor.Tensor {
	shape := append([]int64{int64(len(images)) / (m.image[0] * m.image[1] * m.image[2])}, m.image...)
	if m.dtype == tensor.Float32 {
		return tensor.Of(shape, images...)
	}
	values := make([]float64, len(images))
	for i, v := range images {
		values[i] = float64(v)
	}
	return tensor.FromFloat64s(m.dtype, shape, values)
}

// float32s is the values of a tensor of any float type.
func float32s(t *tensor.Tensor) []float32 {
	if t.DType() == tensor.Float32 {
		return t.Float32s()
	}
	return tensor.FromFloat64s(tensor.Float32, t.Shape, t.Float64s()).Float32s()
}

// classifier is the model as a graph to be differentiated, for a batch size. Normalisations are merged into the weights, and the passes of
// the provider are done.
func (m *model) classifier(batch int) (program.Classifier, error) {
	g, err := export.Unmarshal(m.bytes, export.ReadOptions{Batch: int64(batch), Image: m.image, Dir: filepath.Dir(m.path)})
	if err != nil {
		return program.Classifier{}, fault.Input(err)
	}
	if err := pass.Run(g, runtime.ForwardPasses(m.session.Provider())); err != nil {
		return program.Classifier{}, err
	}
	c, err := program.NewClassifier(g)
	return c, fault.Input(err)
}

func (m *model) Close() error { return m.session.Close() }
