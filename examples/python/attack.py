#!/usr/bin/env python3
"""Attacks an ONNX model that rnas wrote, with an attack that rnas attack made of it; needs numpy and onnxruntime.

usage: attack.py [--seed N] MODEL.onnx ATTACK.onnx IMAGE.ppm...

The attack is a model too: images, labels and a start go in, adversarial images come out. The labels are the classes that the
model sees; the start is none, or uniform in the ball with --seed. A session without options computes what rnas computes with
the same version of ONNX Runtime on the same processor, bit for bit.
"""

import argparse
import json
import sys

import numpy as np
import onnxruntime as ort

from classify import Classifier, read_image, softmax


class Attack:
    def __init__(self, path):
        self.session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        meta = self.session.get_modelmeta().custom_metadata_map
        if "attack" not in meta:
            raise ValueError("expected a model that rnas attack wrote")
        self.about = json.loads(meta["attack"])
        self.inputs = {i.name: i for i in self.session.get_inputs()}

    def __str__(self):
        return "{kind}, {steps} steps, eps {eps:.4f} in norm {norm}".format(**self.about)

    def __call__(self, images, labels, start, targets):
        """Takes float32 [N,C,H,W] in [0,1], int64 [N], the perturbation to start from and int64 [N]; returns images."""
        given = {"images": images, "labels": labels, "start": start, "targets": targets}
        batch = self.inputs["images"].shape[0]
        batch = batch if isinstance(batch, int) else len(images)
        results = []
        for first in range(0, len(images), batch):
            rows = np.arange(first, first + batch) % len(images)  # a fixed batch is filled up
            feed = {name: given[name][rows] for name in self.inputs}
            results.append(self.session.run(["adversarial"], feed)[0])
        return np.concatenate(results)[: len(images)]


def main():
    parser = argparse.ArgumentParser(description="attacks an ONNX model")
    parser.add_argument("--seed", type=int, help="start from uniform noise of this seed")
    parser.add_argument("model")
    parser.add_argument("attack")
    parser.add_argument("image", nargs="+")
    args = parser.parse_args()

    path = args.model
    try:
        classifier = Classifier(path)
        path = args.attack
        attack = Attack(path)
        print(f"{path}: {attack}")
        images = []
        for path in args.image:
            images.append(read_image(path))
            classifier.logits(images[-1])  # tells an image of another size
        images = np.concatenate(images)
        before = np.stack([classifier.logits(x[None]) for x in images])
        order = np.argsort(-before, kind="stable")
        start = np.zeros_like(images)
        if args.seed is not None:
            eps = attack.about["eps"]
            start = np.random.default_rng(args.seed).uniform(-eps, eps, images.shape).astype(np.float32)
        path = args.attack
        adversarial = attack(images, order[:, 0], start, order[:, 1])
        for i, path in enumerate(args.image):
            print(path)
            after = classifier.logits(adversarial[i : i + 1])
            for when, logits in ("before", before[i]), ("after", after):
                k = logits.argmax()
                print(f"  {when:6} {100 * softmax(logits)[k]:6.2f} %  {logits[k]:+12.7f}  {classifier.name(k)}")
            print(f"  largest change of a pixel {255 * np.abs(adversarial[i] - images[i]).max():.4f}/255")
    except Exception as e:  # ONNX Runtime has error classes of its own for each status
        sys.exit(f"attack: {path}: {e}")


if __name__ == "__main__":
    main()
