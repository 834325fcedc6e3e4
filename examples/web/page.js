// The page: an image, the same image attacked, and what changed. Each result is also sent as the event "result" of the
// document: {image, label, eps, clean: {pixels, logits, loss}, attacked: {pixels, logits, loss}}.

import { Classifier, crossEntropy, softmax } from "./classifier.js";
import { draw, fromImage } from "./pixels.js";

const steps = 20;
const $ = (id) => document.getElementById(id);
const percent = (p) => `${(100 * p).toFixed(1)} %`;

let classifier;
let current; // {name, pixels}, the image that is shown
let turn = 0; // counts attacks; a newer one stops those before it

function say(text, kind = "") {
  $("status").textContent = text;
  $("status").className = kind;
}

function showScores(list, logits, label) {
  const p = softmax(logits);
  const best = p.map((_, k) => k).sort((a, b) => p[b] - p[a]);
  list.replaceChildren(
    ...best.slice(0, 3).map((k) => {
      const row = document.createElement("li");
      row.className = k === label ? "label" : "";
      const name = document.createElement("span");
      name.textContent = classifier.name(k);
      const bar = document.createElement("meter");
      bar.value = p[k];
      bar.ariaLabel = classifier.name(k);
      const figure = document.createElement("span");
      figure.textContent = percent(p[k]);
      row.append(name, bar, figure);
      return row;
    }),
  );
  return best[0];
}

function showVerdict(id, k, logits) {
  $(id).textContent = classifier.name(k);
  $(`${id}-confidence`).textContent = percent(softmax(logits)[k]);
}

// A run of ONNX Runtime keeps the page from everything else; a pause lets it draw, and take in other choices.
const pause = () => new Promise((resolve) => setTimeout(resolve));

const loss = (logits, label) => `cross-entropy ${crossEntropy(logits, label).toFixed(3)}`;

async function attack() {
  const mine = ++turn;
  const { name, pixels } = current;
  const { width, height } = classifier;
  const eps = Number($("eps").value) / 255;

  const logits = await classifier.logits(pixels);
  if (mine !== turn) return;
  const label = logits.indexOf(Math.max(...logits)); // what the model sees is what the attack turns it from
  draw($("clean"), pixels, width, height);
  showScores($("clean-scores"), logits, label);
  showVerdict("clean-class", label, logits);
  $("clean-loss").textContent = loss(logits, label);

  const changed = await classifier.attack(pixels, label, eps, steps, (k) => {
    say(`Attacking: step ${k} of ${steps}`);
    return pause().then(() => mine === turn);
  });
  if (mine !== turn) return;
  const after = await classifier.logits(changed);
  if (mine !== turn) return;
  draw($("attacked"), changed, width, height);
  const seen = showScores($("attacked-scores"), after, label);
  showVerdict("attacked-class", seen, after);
  $("attacked-loss").textContent = loss(after, label);
  const difference = changed.map((v, i) => v - pixels[i]);
  draw($("difference"), difference.map((d) => 0.5 + d / (2 * eps || 1)), width, height);
  const largest = 255 * difference.reduce((m, d) => Math.max(m, Math.abs(d)), 0);
  $("largest").textContent = `${largest.toFixed(1)}/255`;
  $("amplified").textContent =
    eps > 0 ? `shown ${(0.5 / eps).toFixed(0)} times as strong, grey is no change; found by ${steps} steps of PGD` : "no change";
  say(
    seen === label
      ? `The model still sees “${classifier.name(label)}”.`
      : `The model now sees “${classifier.name(seen)}” instead of “${classifier.name(label)}”.`,
  );
  const detail = {
    image: name,
    label,
    eps,
    clean: { pixels, logits, loss: crossEntropy(logits, label) },
    attacked: { pixels: changed, logits: after, loss: crossEntropy(after, label) },
  };
  document.dispatchEvent(new CustomEvent("result", { detail }));
}

const fail = (error) => say(error.message, "error");

// show takes a blob, or the promise of one, with an image file.
async function show(name, blob) {
  const mine = ++turn;
  say("");
  const image = await createImageBitmap(await blob);
  if (mine !== turn) return;
  current = { name, pixels: fromImage(image, classifier.width, classifier.height) };
  await attack();
}

async function showSample(button) {
  for (const b of document.querySelectorAll("#samples button")) b.ariaPressed = String(b === button);
  const source = button.querySelector("img");
  const blob = fetch(source.src).then((response) => response.blob());
  await show(source.alt, blob);
}

async function start() {
  classifier = await Classifier.load("model.onnx", "gradient.onnx");
  const normalised =
    classifier.mean || classifier.std
      ? `, normalises them with mean ${classifier.mean ?? "none"} and standard deviation ${classifier.std ?? "none"}`
      : "";
  $("about").textContent =
    `The model takes images of ${classifier.width}×${classifier.height} pixels in [${classifier.low}, ${classifier.high}]${normalised}` +
    (classifier.classes.length > 0 ? ` and knows ${classifier.classes.join(", ")}.` : ".");
  $("eps").value = Math.round(255 * classifier.eps);
  $("radius").textContent = `${$("eps").value}/255`;
  $("eps").addEventListener("input", () => {
    $("radius").textContent = `${$("eps").value}/255`;
    attack().catch(fail);
  });
  for (const button of document.querySelectorAll("#samples button")) {
    button.disabled = false;
    button.addEventListener("click", () => showSample(button).catch(fail));
  }
  $("file").addEventListener("change", () => {
    const [file] = $("file").files;
    if (!file) return;
    for (const b of document.querySelectorAll("#samples button")) b.ariaPressed = "false";
    show(file.name, file).catch(fail);
  });
  $("eps").disabled = $("file").disabled = false;
  await showSample(document.querySelector("#samples button"));
}

start().catch(fail);
