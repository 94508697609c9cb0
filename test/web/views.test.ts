import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { startNetwork, type TestNetwork, type TestPeer } from "../end-to-end/network.ts";
import { barriers, goTo, launchBrowser, NO_BROWSER, openPage } from "./browser.ts";

const skip = NO_BROWSER;

let browser: Browser;
let network: TestNetwork;
let ada: TestPeer;
let bob: TestPeer;

before(async () => {
  if (NO_BROWSER) return;
  [browser, network] = await Promise.all([launchBrowser(), startNetwork()]);
  [ada, bob] = await Promise.all([
    network.peer("ada", { "mine.txt": "of ada" }),
    network.peer("bob", { "hello.txt": "hello from bob", "music/a rather long name of a song.mp3": "la" }),
  ]);
});

after(async () => {
  await browser?.close();
  await network?.[Symbol.asyncDispose]();
});

const uiOf = (peer: TestPeer): string => String(peer.ready["ui"]);
const filesOf = (peer: TestPeer, folder = ""): string => `#/files/${peer.ready["id"]}${folder}`;

for (const [locale, word] of [
  ["id-ID", "Pengaturan"],
  ["pt-BR", "Definições"],
  ["ja-JP", "Settings"],
] as const) {
  test(`a browser that prefers ${locale} reads "${word}"`, { skip }, async (t) => {
    const page = await openPage(t, browser, uiOf(ada), { locale });
    await page.getByRole("link", { name: word }).waitFor();
  });
}

const VIEWS = ["#/search?q=hello", "files", "#/chat", "#/transfers", "#/sending", "#/shares", "#/settings"];

for (const theme of ["dark", "light"]) {
  test(`nobody is kept out of a view, ${theme}`, { skip }, async (t) => {
    const page = await openPage(t, browser, uiOf(ada));
    await page.evaluate(`localStorage.setItem("theme", "${theme}")`);
    await page.reload();
    for (const view of VIEWS) {
      await goTo(page, view === "files" ? filesOf(bob, "/music") : view);
      await page.locator("section.view").waitFor();
      await page.getByText("Loading…").first().waitFor({ state: "detached" });
      assert.deepEqual(await barriers(page), [], view);
    }
    await page.getByRole("button", { name: "Invite" }).click();
    await page.locator("dialog svg.qr").waitFor();
    assert.deepEqual(await barriers(page), [], "the invite");
  });
}

test("at 375 pixels nothing is cut off, and a menu leads everywhere", { skip }, async (t) => {
  const page = await openPage(t, browser, uiOf(ada), { viewport: { width: 375, height: 720 }, hasTouch: true });
  for (const view of VIEWS) {
    await goTo(page, view === "files" ? filesOf(bob) : view);
    await page.locator("section.view").waitFor();
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, view);
  }
  await page.getByRole("button", { name: "Menu" }).click();
  await page.locator(".peer-link", { hasText: "bob" }).click();
  await page.getByRole("listbox", { name: "Files" }).getByText("hello.txt").waitFor();
});
