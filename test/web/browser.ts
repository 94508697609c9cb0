import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** The page as people see it: the system's Chromium, with nothing of it left behind. */

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const found = PLACES.find((place) => existsSync(place));

/** Why stories cannot be told on this machine, if they cannot. */
export const NO_BROWSER = found === undefined && "there is no Chromium here";

export function launchBrowser(): Promise<Browser> {
  assert.ok(found);
  // Without a sandbox of its own, since root has none; what it shows is ours.
  return chromium.launch({ executablePath: found, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
}

/** Opens an address in a browser of somebody new. When the test ends nothing may have been complained of, but what is expected. */
export async function openPage(
  t: TestContext,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  expected = /ERR_(?:CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)/,
): Promise<Page> {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(
      complaints.filter((text) => !expected.test(text)),
      [],
    );
  });
  await page.goto(url);
  await page.locator(".me code").waitFor({ state: "attached" });
  return page;
}

/** Goes to a view by its address, as a bookmark would. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}

/** Waits until an expression is true in the page. Not with `waitForFunction`, which the page's policy forbids. */
export async function until(page: Page, expression: string): Promise<void> {
  await page.evaluate(
    `new Promise((resolve) => { const look = () => (${expression}) ? resolve() : requestAnimationFrame(look); look(); })`,
  );
}

/** What axe-core finds to be serious, as sentences. */
export async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as axe.AxeResults;
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}
