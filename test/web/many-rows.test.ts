import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { tempFolder } from "../support/temp-folder.ts";
import { goTo, launchBrowser, NO_BROWSER, openPage, until } from "./browser.ts";

const FRAMES = 60;

/** In each of some frames scrolls on, and looks whether rows fill the list. Gives the frames, those with gaps, and the longest. */
const SCROLL = `new Promise((resolve) => {
  const list = document.querySelector(".virtual-list");
  const seen = { frames: 0, gaps: 0, longest: 0 };
  let before = performance.now();
  const next = (now) => {
    seen.longest = Math.max(seen.longest, now - before);
    before = now;
    const box = list.getBoundingClientRect();
    for (const part of [0.1, 0.5, 0.9]) {
      const at = document.elementFromPoint(box.left + 40, box.top + box.height * part);
      if (!at?.closest(".row")) seen.gaps += 1;
    }
    seen.frames += 1;
    if (seen.frames >= ${FRAMES}) return resolve(seen);
    list.scrollTop += list.scrollHeight / ${FRAMES * 1.5};
    requestAnimationFrame(() => requestAnimationFrame(next));
  };
  requestAnimationFrame(next);
})`;

test("half a million files are listed, and scrolled without a gap", { skip: NO_BROWSER }, async (t) => {
  // On a thread of its own, or making the list would keep this one from talking to the browser.
  const worker = new Worker(new URL("many-rows-server.ts", import.meta.url), { workerData: await tempFolder(t) });
  t.after(() => worker.terminate());
  const [{ url, peer }] = await once(worker, "message");
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await openPage(t, browser, url);
  await goTo(page, `#/files/${peer}`);
  await page.getByText("file 000000.mp3").waitFor();
  await page.getByText("500,000 entries", { exact: true }).waitFor({ timeout: 60_000 });
  const seen = (await page.evaluate(SCROLL)) as { frames: number; gaps: number; longest: number };
  assert.equal(seen.gaps, 0);
  t.diagnostic(`longest frame while scrolling: ${Math.round(seen.longest)} ms`);
  assert.ok(Number(await page.evaluate("document.querySelectorAll('.row').length")) < 100);

  const list = page.getByRole("listbox", { name: "Files" });
  await list.focus();
  await page.keyboard.press("End");
  await until(page, "document.querySelector('.row.active')?.textContent?.includes('file 499999.mp3')");
  await page.getByRole("button", { name: "Size" }).click();
  await page.getByRole("button", { name: "Size" }).click();
  await page.getByRole("searchbox", { name: "Filter this folder" }).fill("0099");
  await page.getByText(/^\d+ of 500,000 entries/).waitFor();
  await until(page, "document.querySelector('.row')?.textContent?.includes('0099')");
});
