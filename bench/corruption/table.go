package corruption

// params are the parameters of a corruption by severity.
type params = [Severities][]float64

// table has one row for each corruption, in the order of RobustBench (robustbench/data.py). The index of a row is part of the address of its
// random numbers, so it never changes. Each row names its parameters.
var table = []struct {
	name string
	row
}{
	{"shot_noise", row{ // expected photons at full brightness
		params{{500}, {250}, {100}, {75}, {50}},
		params{{60}, {25}, {12}, {5}, {3}},
		shotNoise,
	}},
	{"motion_blur", row{ // radius and deviation of the trace, pixels
		params{{6, 1}, {6, 1.5}, {6, 2}, {8, 2}, {9, 2.5}},
		params{{10, 3}, {15, 5}, {15, 8}, {15, 12}, {20, 15}},
		motionBlur,
	}},
	{"snow", row{ // mean and deviation of the flakes, zoom, threshold, radius and deviation of their trace, share of the image
		params{{0.1, 0.2, 1, 0.6, 8, 3, 0.95}, {0.1, 0.2, 1, 0.5, 10, 4, 0.9}, {0.15, 0.3, 1.75, 0.55, 10, 4, 0.9}, {0.25, 0.3, 2.25, 0.6, 12, 6, 0.85}, {0.3, 0.3, 1.25, 0.65, 14, 12, 0.8}},
		params{{0.1, 0.3, 3, 0.5, 10, 4, 0.8}, {0.2, 0.3, 2, 0.5, 12, 4, 0.7}, {0.55, 0.3, 4, 0.9, 12, 8, 0.7}, {0.55, 0.3, 4.5, 0.85, 12, 8, 0.65}, {0.55, 0.3, 2.5, 0.85, 12, 12, 0.55}},
		snow,
	}},
	{"pixelate", row{ // part of the side that is left
		params{{0.95}, {0.9}, {0.85}, {0.75}, {0.65}},
		params{{0.6}, {0.5}, {0.4}, {0.3}, {0.25}},
		pixelate,
	}},
	{"gaussian_noise", row{ // deviation
		params{{0.04}, {0.06}, {0.08}, {0.09}, {0.10}},
		params{{0.08}, {0.12}, {0.18}, {0.26}, {0.38}},
		gaussianNoise,
	}},
	{"defocus_blur", row{ // radius of the disk, deviation of its edge, pixels
		params{{0.3, 0.4}, {0.4, 0.5}, {0.5, 0.6}, {1, 0.2}, {1.5, 0.1}},
		params{{3, 0.1}, {4, 0.5}, {6, 0.5}, {8, 0.5}, {10, 0.5}},
		defocusBlur,
	}},
	{"brightness", row{ // added to the value of HSV
		params{{0.05}, {0.1}, {0.15}, {0.2}, {0.3}},
		params{{0.1}, {0.2}, {0.3}, {0.4}, {0.5}},
		brightness,
	}},
	{"fog", row{ // thickness, decay of the fractal by octave
		params{{0.2, 3}, {0.5, 3}, {0.75, 2.5}, {1, 2}, {1.5, 1.75}},
		params{{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}},
		fog,
	}},
	{"zoom_blur", row{ // end (exclusive, see zoomBlur) and step of the zoom factors
		params{{1.06, 0.01}, {1.11, 0.01}, {1.16, 0.01}, {1.21, 0.01}, {1.26, 0.01}},
		params{{1.11, 0.01}, {1.16, 0.01}, {1.21, 0.02}, {1.26, 0.02}, {1.31, 0.03}},
		zoomBlur,
	}},
	{"frost", row{ // shares of the image and of the frost
		params{{1, 0.2}, {1, 0.3}, {0.9, 0.4}, {0.85, 0.4}, {0.75, 0.45}},
		params{{1, 0.4}, {0.8, 0.6}, {0.7, 0.7}, {0.65, 0.7}, {0.6, 0.75}},
		frost,
	}},
	{"glass_blur", row{ // deviation of the blurs, largest displacement in pixels, rounds
		params{{0.05, 1, 1}, {0.25, 1, 1}, {0.4, 1, 1}, {0.25, 1, 2}, {0.4, 1, 2}},
		params{{0.7, 1, 2}, {0.9, 2, 1}, {1, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}},
		glassBlur,
	}},
	{"impulse_noise", row{ // share of the values that are replaced
		params{{0.01}, {0.02}, {0.03}, {0.05}, {0.07}},
		params{{0.03}, {0.06}, {0.09}, {0.17}, {0.27}},
		impulseNoise,
	}},
	{"contrast", row{ // factor on the distance from the mean
		params{{0.75}, {0.5}, {0.4}, {0.3}, {0.15}},
		params{{0.4}, {0.3}, {0.2}, {0.1}, {0.05}},
		contrast,
	}},
	{"jpeg_compression", row{ // quality
		params{{80}, {65}, {58}, {50}, {40}},
		params{{25}, {18}, {15}, {10}, {7}},
		jpegCompression,
	}},
	{"elastic_transform", row{ // largest displacement, deviation of its blur, largest shift of a corner; of the shorter side
		params{{0, 0, 0.08}, {0.05, 0.2, 0.07}, {0.08, 0.06, 0.06}, {0.1, 0.04, 0.05}, {0.1, 0.03, 0.03}},
		// The published program multiplies by 244 for images of 224 pixels.
		params{scaled(2, 0.7, 0.1), scaled(2, 0.08, 0.2), scaled(0.05, 0.01, 0.02), scaled(0.07, 0.01, 0.02), scaled(0.12, 0.01, 0.02)},
		elasticTransform,
	}},
}

func scaled(p ...float64) []float64 {
	for i := range p {
		p[i] *= 244. / 224
	}
	return p
}
