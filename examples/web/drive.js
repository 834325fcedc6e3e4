// Drives the page in a headless Chromium: node drive.js CHROMIUM URL FOLDER IMAGE...
//
// Chooses every image of the page, the weakest and the strongest attack, a file that is no image, and image files as
// one's own; writes pictures of the page, wide and narrow, light and dark, into FOLDER. Prints JSON: the page's results,
// the addresses it asked for, faults, and elements that do not fit the screen.

import { join } from "node:path";
import { chromium } from "playwright-core";

const [executablePath, url, folder, ...images] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, timeout: 0 });
const page = await browser.newPage();
page.setDefaultTimeout(0); // however busy the machine is
const requests = new Set();
const faults = [];
page.on("request", (r) => requests.add(r.url()));
page.on("pageerror", (e) => faults.push(e.message));
page.on("console", (m) => ["error", "warning"].includes(m.type()) && faults.push(m.text()));
page.on("response", (r) => r.ok() || faults.push(`${r.url()}: ${r.status()}`));
await page.addInitScript(() => {
  window.results = [];
  document.addEventListener("result", ({ detail }) => {
    const plain = ({ pixels, logits, loss }) => ({ pixels: [...pixels], logits: [...logits], loss });
    const text = (id) => document.getElementById(id).textContent;
    window.results.push({
      ...detail,
      clean: { ...plain(detail.clean), shown: text("clean-class") },
      attacked: { ...plain(detail.attacked), shown: text("attacked-class") },
      about: text("about"),
    });
  });
});

// next does something to the page and returns the one result that comes of it.
async function next(act) {
  await page.evaluate(() => (window.results = []));
  await act();
  await page.waitForFunction(() => window.results.length > 0 || document.querySelector("#status.error"));
  const results = await page.evaluate(() => window.results);
  if (results.length !== 1) throw new Error(`expected one result, found ${results.length}`);
  return results[0];
}

// slide moves the slider over values without a pause.
const slide = (...values) =>
  page.locator("#eps").evaluate((slider, values) => {
    for (const v of values) {
      slider.value = v;
      slider.dispatchEvent(new Event("input"));
    }
  }, values);

// misfits names the visible elements that stick out of the screen or whose content is cut off.
const misfits = () =>
  [...document.querySelectorAll("body *")]
    .filter((e) => e.clientWidth > 2 && (e.getBoundingClientRect().right > innerWidth || e.scrollWidth > e.clientWidth + 1))
    .map((e) => `${innerWidth} pixels: ${e.outerHTML.slice(0, 80)}`);

const overflows = [];
async function look(width, height, colorScheme) {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
  await page.screenshot({ path: join(folder, `${width}-${colorScheme}.png`), fullPage: true });
  overflows.push(...(await page.evaluate(misfits)));
}

try {
  await page.goto(url);
  await page.waitForFunction(() => window.results.length > 0 || document.querySelector("#status.error"));
  const results = [];
  const samples = page.locator("#samples button");
  for (let i = (await samples.count()) - 1; i >= 0; i--) results.push(await next(() => samples.nth(i).click()));
  await look(1280, 800, "light");
  await look(1280, 800, "dark");
  await look(390, 844, "light");
  await look(390, 844, "dark");
  results.push(await next(() => slide(0)));
  results.push(await next(() => slide(4, 16, 8, 24))); // the last one counts
  await page.locator("#file").setInputFiles({ name: "not.png", mimeType: "image/png", buffer: Buffer.from("no image") });
  await page.waitForFunction(() => document.querySelector("#status.error"));
  for (const image of images) results.push(await next(() => page.locator("#file").setInputFiles(image)));
  console.log(JSON.stringify({ results, requests: [...requests], faults, overflows }));
} catch (error) {
  console.error([error.message, ...faults, await page.locator("#status").textContent()].join("\n"));
  process.exitCode = 1;
} finally {
  await browser.close();
}
