// The metadata of an ONNX file, which onnxruntime-web does not hand out: field 14 of the protocol buffer ModelProto, a
// list of messages with a key in field 1 and a value in field 2.

// fields calls visit(number, bytes) for each length-delimited field of a message and passes over all others.
function fields(bytes, visit) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (at >= bytes.length || scale > 2 ** 63) throw new Error("not an ONNX file");
      const byte = bytes[at++];
      value += (byte & 127) * scale; // exact below 2^53; numbers beyond are passed over anyway
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key % 8;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const end = varint() + at;
      if (end > bytes.length) throw new Error("the ONNX file is cut short");
      visit(Math.floor(key / 8), bytes.subarray(at, end));
      at = end;
    } else throw new Error("not an ONNX file");
  }
}

/** Returns the metadata of a model, given as Uint8Array, as a Map of strings. */
export function metadata(model) {
  const map = new Map();
  const text = new TextDecoder();
  fields(model, (number, entry) => {
    if (number !== 14) return;
    const pair = ["", "", ""];
    fields(entry, (n, bytes) => (pair[n] = text.decode(bytes)));
    map.set(pair[1], pair[2]);
  });
  return map;
}
