package export

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
const (
	modelIRVersion       protowire.Number = 1
	modelProducer        protowire.Number = 2
	modelProducerVersion protowire.Number = 3
	modelDomain          protowire.Number = 4
	modelVersion         protowire.Number = 5
	modelDoc             protowire.Number = 6
	modelGraph           protowire.Number = 7
	modelOpsetImport     protowire.Number = 8
	modelMetadata        protowire.Number = 14
	modelFunctions       protowire.Number = 25

	opsetDomain  protowire.Number = 1
	opsetVersion protowire.Number = 2

	entryKey   protowire.Number = 1
	entryValue protowire.Number = 2

	graphNode        protowire.Number = 1
	graphName        protowire.Number = 2
	graphInitializer protowire.Number = 5
	graphInput       protowire.Number = 11
	graphOutput      protowire.Number = 12
	graphValueInfo   protowire.Number = 13
	graphSparse      protowire.Number = 15

	nodeInput     protowire.Number = 1
	nodeOutput    protowire.Number = 2
	nodeName      protowire.Number = 3
	nodeOp        protowire.Number = 4
	nodeAttribute protowire.Number = 5
	nodeDomain    protowire.Number = 7
	nodeOverload  protowire.Number = 8

	functionName     protowire.Number = 1
	functionInput    protowire.Number = 4
	functionOutput   protowire.Number = 5
	functionNode     protowire.Number = 7
	functionOpset    protowire.Number = 9
	functionDomain   protowire.Number = 10
	functionDefault  protowire.Number = 11
	functionOverload protowire.Number = 13

	attrName    protowire.Number = 1
	attrFloat   protowire.Number = 2
	attrInt     protowire.Number = 3
	attrString  protowire.Number = 4
	attrTensor  protowire.Number = 5
	attrGraph   protowire.Number = 6
	attrFloats  protowire.Number = 7
	attrInts    protowire.Number = 8
	attrStrings protowire.Number = 9
	attrType    protowire.Number = 20
	attrRef     protowire.Number = 21
	attrSparse  protowire.Number = 22

	tensorDims     protowire.Number = 1
	tensorType     protowire.Number = 2
	tensorSegment  protowire.Number = 3
	tensorFloats   protowire.Number = 4
	tensorInt32s   protowire.Number = 5
	tensorStrings  protowire.Number = 6
	tensorInt64s   protowire.Number = 7
	tensorName     protowire.Number = 8
	tensorRaw      protowire.Number = 9
	tensorDoubles  protowire.Number = 10
	tensorUint64s  protowire.Number = 11
	tensorExternal protowire.Number = 13
	tensorLocation protowire.Number = 14

	sparseValues  protowire.Number = 1
	sparseIndices protowire.Number = 2
	sparseDims    protowire.Number = 3

	valueName protowire.Number = 1
	valueType protowire.Number = 2

	typeTensor    protowire.Number = 1
	typeElem      protowire.Number = 1
	typeShape     protowire.Number = 2
	shapeDim      protowire.Number = 1
	dimensionSize protowire.Number = 1
	dimensionName protowire.Number = 2
)

// Values of AttributeProto.AttributeType.
const (
	kindFloat   = 1
	kindInt     = 2
	kindString  = 3
	kindTensor  = 4
	kindGraph   = 5
	kindFloats  = 6
	kindInts    = 7
	kindStrings = 8
	kindSparse  = 11
)

// Operator set versions that can be read and written.
const (
	oldestRead  = 6
	oldestIR    = 3 // format version of files
	oldestWrite = 13
	newestOpset = 27
	canonical   = 18 // the version whose operator forms the graph representation uses
)

// irVersion is the oldest file format version (IR version) that goes with an operator set version, from the table of
// releases at https://github.com/onnx/onnx/blob/main/docs/Versioning.md.
func irVersion(opset int) int64 {
	switch {
	case opset <= 14:
		return 7
	case opset <= 18:
		return 8
	case opset <= 20:
		return 9
	case opset <= 22:
		return 10
	case opset == 23:
		return 11
	case opset == 24:
		return 12
	}
	return 13
}

// domainVersions are the versions written for the operator domains beside the standard one.
var domainVersions = map[string]int64{
	"com.microsoft":       1,
	"com.microsoft.nchwc": 1,
}
