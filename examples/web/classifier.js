// A classifier and its input gradient, two ONNX models that rnas wrote, on onnxruntime-web.

import * as ort from "./node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs";
import { metadata } from "./metadata.js";

ort.env.wasm.numThreads = 1; // more threads need a server that isolates the page (COOP and COEP headers)

async function read(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

export class Classifier {
  /** Loads a model and its gradient graph (`rnas grad MODEL --loss ce`). */
  static async load(modelURL, gradientURL) {
    const [model, gradient] = await Promise.all([read(modelURL), read(gradientURL)]);
    const c = new Classifier();
    const meta = metadata(model);
    c.classes = JSON.parse(meta.get("class_names") ?? "[]");
    [c.low, c.high] = JSON.parse(meta.get("input_range") ?? "[0,1]");
    c.mean = meta.get("mean"); // of the normalisation that the model does itself, undefined for none
    c.std = meta.get("std");
    c.eps = Number(meta.get("eps") ?? 8 / 255);
    c.model = await ort.InferenceSession.create(model);
    c.gradient = await ort.InferenceSession.create(gradient);
    [c.input] = c.model.inputNames;
    [c.output] = c.model.outputNames;
    const [, channels, height, width] = c.model.inputMetadata[0].shape;
    if (channels !== 3 || !(height > 0 && width > 0)) {
      throw new Error(`expected a model of colour images of one size, found ${c.model.inputMetadata[0].shape}`);
    }
    Object.assign(c, { height, width });
    return c;
  }

  name(k) {
    return this.classes[k] ?? `class ${k}`;
  }

  /** The tensor [1,3,H,W], in the range of the model, of pixels in [0,1]. */
  tensor(pixels) {
    const x = this.low === 0 && this.high === 1 ? pixels : pixels.map((v) => this.low + (this.high - this.low) * v);
    return new ort.Tensor("float32", x, [1, 3, this.height, this.width]);
  }

  /** The logits of an image, Float32Array [3*H*W] of pixels in [0,1], planes of red, green and blue. */
  async logits(pixels) {
    const out = await this.model.run({ [this.input]: this.tensor(pixels) }, [this.output]);
    return out[this.output].data;
  }

  /**
   * PGD in the maximum norm (Madry et al. 2018): each step moves every pixel by eps/4 in the direction in which the
   * cross-entropy of the label grows, and back into the ball of radius eps around the image and into [0,1]. Returns the
   * pixels of the attacked image; progress(k) is awaited after step k and stops the attack by giving false.
   */
  async attack(pixels, label, eps, steps, progress = () => true) {
    const labels = new ort.Tensor("int64", BigInt64Array.of(BigInt(label)), [1]);
    const name = `grad.${this.input}`;
    const x = pixels.slice();
    for (let k = 1; k <= steps; k++) {
      const out = await this.gradient.run({ [this.input]: this.tensor(x), labels }, [name]);
      const g = out[name].data;
      for (let i = 0; i < x.length; i++) {
        const moved = x[i] + (eps / 4) * Math.sign(g[i]);
        x[i] = Math.min(Math.max(moved, pixels[i] - eps, 0), pixels[i] + eps, 1);
      }
      if ((await progress(k)) === false) break;
    }
    return x;
  }
}

/** The probabilities of logits. */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const e = Array.from(logits, (v) => Math.exp(v - largest));
  const sum = e.reduce((a, b) => a + b);
  return e.map((v) => v / sum);
}

/** The cross-entropy of a label. */
export function crossEntropy(logits, label) {
  const largest = Math.max(...logits);
  return largest - logits[label] + Math.log(logits.reduce((sum, v) => sum + Math.exp(v - largest), 0));
}
