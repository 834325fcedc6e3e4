// Pixels: Float32Array [3*H*W] in [0,1], planes of red, green and blue, to and from images.

/** Draws an image in the size of a model and returns its pixels; of other shapes the largest centred part is taken. */
export function fromImage(image, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const scale = Math.min(image.width / width, image.height / height);
  const [w, h] = [width * scale, height * scale];
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, (image.width - w) / 2, (image.height - h) / 2, w, h, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const plane = width * height;
  return Float32Array.from({ length: 3 * plane }, (_, i) => data[4 * (i % plane) + Math.floor(i / plane)] / 255);
}

/** Shows values in [0,1] on a canvas. */
export function draw(canvas, pixels, width, height) {
  const plane = width * height;
  const shown = new ImageData(width, height);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) shown.data[4 * i + c] = Math.round(255 * pixels[c * plane + i]);
    shown.data[4 * i + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(shown, 0, 0);
}
