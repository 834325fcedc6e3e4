package genotype

// Form is the kind of architecture that a genotype describes. The form decides which fields of Genotype are set and how
// the cells are put together.
type Form string

// The forms.
const (
	// DARTS is a normal and a reduction cell (Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019).
	DARTS Form = ""
	// ARNAS has accurate cells (Normal) before the second reduction cell and robust cells (Robust) after it. The second
	// reduction keeps the number of channels (Ou et al., "Towards Accurate and Robust Architectures via Neural
	// Architecture Search", CVPR 2024).
	ARNAS Form = "arnas"
	// RobNet gives every edge of every cell a link of its own (Guo et al., "When NAS Meets Robustness", CVPR 2020).
	RobNet Form = "robnet"
	// NASBench201 is one cell of 4 nodes and 6 edges, without reduction cells (Dong and Yang, "NAS-Bench-201", ICLR 2020).
	NASBench201 Form = "nb201"
)

// Size returns the number of channels and of cells of the published networks of the form.
func (f Form) Size() (channels, layers int) {
	switch f {
	case ARNAS:
		return 64, 20
	case NASBench201:
		return 16, 15
	}
	return 36, 20
}

// HasAuxiliary reports whether networks of the form can have DARTS' auxiliary head.
func (f Form) HasAuxiliary() bool { return f == DARTS || f == ARNAS }
