// Looks at a page in a headless Chromium: node look.mjs CHROMIUM NODE_MODULES PAGE FOLDER
//
// PAGE is a file; NODE_MODULES holds playwright-core. Writes pictures of the whole page, wide and narrow, light and dark,
// and a PDF into FOLDER. Prints JSON: the addresses that the page asked for (data: aside), faults, and elements that stick
// out of the screen, but for what is inside an element that scrolls.

import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [executablePath, modules, file, folder] = process.argv.slice(2);
const { chromium } = createRequire(join(resolve(modules), "look.js"))("playwright-core");
const browser = await chromium.launch({ executablePath, timeout: 0 });
const requests = new Set();
const faults = [];
const misfits = [];

const stickingOut = () =>
  [...document.querySelectorAll("body *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".wide"))
    .map((e) => `${innerWidth} pixels: ${e.outerHTML.slice(0, 80)}`);

try {
  const page = await browser.newPage();
  page.setDefaultTimeout(0); // however busy the machine is
  page.on("request", (r) => r.url().startsWith("data:") || requests.add(r.url()));
  page.on("pageerror", (e) => faults.push(e.message));
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && faults.push(m.text()));
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await page.goto(pathToFileURL(file).href);
      await page.screenshot({ path: join(folder, `${width}-${colorScheme}.png`), fullPage: true });
      misfits.push(...(await page.evaluate(stickingOut)));
    }
  }
  await page.pdf({ path: join(folder, "page.pdf"), format: "A4" });
  console.log(JSON.stringify({ requests: [...requests], faults, misfits }));
} finally {
  await browser.close();
}
