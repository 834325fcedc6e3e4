package main

// commands is the dispatch table, in the order of the overview.
func commands() []command {
	return []command{
		{name: "run", summary: "does the whole job: search, train, export, bench", setup: runCommand, detail: runDetail},
		{name: "search", summary: "finds a genotype", setup: searchCommand, detail: searchDetail},
		{name: "train", summary: "trains a genotype", setup: trainCommand, detail: trainDetail},
		{name: "study", args: "STUDY.yaml", summary: "compares arms over seeds: searches, trains and measures, or looks up", setup: studyCommand, detail: studyDetail},
		{name: "export", summary: "writes a trained network as an ONNX model", setup: exportCommand, detail: exportDetail},
		{name: "bench", args: "MODEL.onnx ...", summary: "measures clean and adversarial accuracy and latency", setup: benchCommand, detail: benchDetail},
		{name: "adapt", args: "MODEL.onnx", summary: "puts preprocessing, layout and output choice into a model", setup: adaptCommand, detail: adaptDetail},
		{name: "attack", args: "MODEL.onnx", summary: "writes an attack on a model as a model of its own", setup: attackCommand, detail: attackDetail},
		{name: "grad", args: "MODEL.onnx", summary: "writes the gradient graph of a model", setup: gradCommand, detail: gradDetail},
		{name: "verify", args: "MODEL.onnx", summary: "checks a model file by independent means", setup: verifyCommand, detail: verifyDetail},
		{name: "inspect", args: "MODEL.onnx|GENOTYPE|FOLDER", summary: "tells what a file or a run folder is", setup: inspectCommand, detail: inspectDetail},
		{name: "rank", args: "GENOTYPES", summary: "scores genotypes without training or with little", setup: rankCommand, detail: rankDetail},
		{name: "zoo", args: "[NAME]", summary: "lists or prints published genotypes", setup: zooCommand},
		{name: "doctor", summary: "tells what this machine can run", setup: doctorCommand},
	}
}
