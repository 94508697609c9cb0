import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { startNetwork, type TestNetwork, type TestPeer } from "../end-to-end/network.ts";
import { goTo, launchBrowser, NO_BROWSER, openPage, until } from "./browser.ts";
import { PNG, silentWav } from "./sample-media.ts";

const skip = NO_BROWSER;
const SECRET = "document.body.dataset.broken = 'yes'";
const HOSTILE = `<img src=x onerror="${SECRET}">.txt`;

let browser: Browser;
let network: TestNetwork;
let ada: TestPeer;
let bob: TestPeer;

before(async () => {
  if (NO_BROWSER) return;
  [browser, network] = await Promise.all([launchBrowser(), startNetwork()]);
  [ada, bob] = await Promise.all([
    network.peer("ada", { "mine.txt": "of ada" }),
    network.peer("bob", {
      "hello.txt": "hello from bob",
      "page.html": `<h1>hi</h1><script>${SECRET}; top.${SECRET}</script>`,
      "picture.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><script>top.${SECRET}</script><rect width="90" height="60"/></svg>`,
      "photo.png": PNG,
      "tone.wav": silentWav(8),
      [HOSTILE]: "harmless",
      'it\'s "quoted" 🎉.txt': "x",
      "music/Kind of Blue/01 So What.mp3": "so what",
      "music/Kind of Blue/02 Freddie.mp3": "freddie",
      "large.bin": Buffer.alloc(20_000_000, 7),
    }),
  ]);
});

after(async () => {
  await browser?.close();
  await network?.[Symbol.asyncDispose]();
});

const uiOf = (peer: TestPeer): string => String(peer.ready["ui"]);
const filesOf = (peer: TestPeer, folder = ""): string => `#/files/${peer.ready["id"]}${folder}`;

test("who opens the address sees who they are and who is there; the address keeps no token", { skip }, async (t) => {
  const page = await openPage(t, browser, uiOf(ada));
  assert.doesNotMatch(page.url(), /token/);
  await page.locator(".me").getByText("ada", { exact: true }).waitFor();
  await page.locator(".peer-link", { hasText: "bob" }).getByRole("img", { name: "Online" }).waitFor();
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByRole("img", { name: "Invite as a QR code" }).waitFor();
  await page
    .locator("dialog code", { hasText: /^tukar:\/\// })
    .first()
    .waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
});

test("files are listed, sorted, filtered, chosen with keys alone, downloaded, and stand in the history", {
  skip,
}, async (t) => {
  const page = await openPage(t, browser, uiOf(ada));
  await page
    .getByRole("link", { name: /^bob|bob/ })
    .first()
    .click();
  const list = page.getByRole("listbox", { name: "Files" });
  await list.getByText("hello.txt").waitFor();
  assert.match((await list.getByRole("option").first().textContent()) ?? "", /^music/);
  await page.getByRole("button", { name: "Size" }).click();
  await page.getByRole("button", { name: "Size" }).click();
  await list.getByRole("option").nth(1).filter({ hasText: "large.bin" }).waitFor();
  await page.getByRole("searchbox", { name: "Filter this folder" }).fill("hello");
  await page.getByText("1 of 9 entries").waitFor();
  await list.focus();
  await page.keyboard.press("Space");
  await page.getByText("1 selected, 14 B").waitFor();
  await page.getByRole("button", { name: "Download", exact: true }).click();
  await page.getByText("Added to the downloads").waitFor();
  await page.getByRole("searchbox", { name: "Filter this folder" }).fill("");
  await list.getByText("music", { exact: true }).click();
  await page.getByRole("link", { name: "Kind of Blue" }).first().waitFor();
  await page.getByRole("button", { name: "Download this folder" }).click();
  await goTo(page, "#/transfers");
  await page.locator(".card.done", { hasText: "hello.txt" }).waitFor();
  await page.locator(".card.done", { hasText: "music" }).waitFor();
  assert.equal(await readFile(path.join(ada.dir, "received", "hello.txt"), "utf8"), "hello from bob");
  await page.getByRole("button", { name: "Show history" }).click();
  await page.getByText(/Saved as .*hello\.txt/).waitFor();
});

test("what somebody shares is looked at, and none of it runs", { skip }, async (t) => {
  const page = await openPage(t, browser, uiOf(ada));
  const list = page.getByRole("listbox", { name: "Files" });
  const dialog = page.locator("dialog");
  async function look(name: string): Promise<void> {
    await list.getByText(name, { exact: true }).click();
    await dialog.waitFor();
  }
  async function close(): Promise<void> {
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  }
  await goTo(page, filesOf(bob));
  await look(HOSTILE);
  await dialog.getByText("harmless").waitFor();
  await close();
  await list.getByText('it\'s "quoted" 🎉.txt', { exact: true }).waitFor();
  await look("page.html");
  await dialog.getByText("<h1>hi</h1>").waitFor();
  await close();
  for (const name of ["photo.png", "picture.svg"]) {
    await look(name);
    await until(page, "document.querySelector('dialog img')?.naturalWidth > 0");
    await close();
  }
  await look("tone.wav");
  await until(page, "document.querySelector('dialog audio')?.readyState >= 1");
  await page.evaluate("document.querySelector('dialog audio').currentTime = 5");
  await until(page, "document.querySelector('dialog audio').currentTime >= 5");
  await close();
  // On its own, too: whatever is there is in a sandbox.
  const alone = await page.context().newPage();
  for (const name of ["picture.svg", "page.html"]) {
    await alone.goto(`${new URL(page.url()).origin}/api/content?peer=${bob.ready["id"]}&path=${name}`);
    assert.equal(await alone.evaluate("self.origin"), "null", name);
  }
  assert.equal(await page.evaluate("document.body.dataset.broken ?? 'no'"), "no");
});

test("a search begins while it is typed, stands in the address, and is used with keys alone", { skip }, async (t) => {
  const page = await openPage(t, browser, uiOf(ada));
  await goTo(page, "#/transfers");
  await page.getByRole("heading", { name: "Transfers" }).waitFor();
  await page.keyboard.press("/");
  await page.getByRole("searchbox", { name: "Search all shared files" }).pressSequentially("fred", { delay: 10 });
  const results = page.getByRole("listbox", { name: "Search" });
  await results.getByText("02 Freddie.mp3").waitFor();
  assert.match(page.url(), /#\/search\?q=fred$/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Sources" }).click();
  await page.locator("dialog").getByRole("link", { name: "bob" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("combobox", { name: "Type" }).selectOption("image");
  await page.getByText("Nothing found.").waitFor();
  await goTo(page, "#/search?q=hello&max=1k");
  await results.getByText("hello.txt").waitFor();
  await page.reload();
  await results.getByText("hello.txt").waitFor();
  assert.equal(await page.getByRole("searchbox", { name: "Search all shared files" }).inputValue(), "hello");
});

test("a download is limited, paused, resumed, given priority and cancelled; two tabs agree", { skip }, async (t) => {
  const page = await openPage(t, browser, uiOf(ada));
  const other = await page.context().newPage();
  await goTo(page, "#/settings");
  await page.getByRole("textbox", { name: "Download per second" }).fill("500k");
  await page.locator("form", { hasText: "Download per second" }).getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved", { exact: true }).waitFor();
  await goTo(page, filesOf(bob));
  await page.getByRole("listbox", { name: "Files" }).getByText("large.bin").click();
  await page.locator("dialog").getByRole("button", { name: "Download" }).click();
  await page.keyboard.press("Escape");
  await other.goto(`${new URL(page.url()).origin}/#/transfers`);
  await goTo(page, "#/transfers");
  const card = page.locator(".card", { hasText: "large.bin" });
  await card.getByText(/KiB\/s/).waitFor();
  await card.getByRole("combobox").selectOption("high");
  await card.getByRole("button", { name: "Pause: large.bin" }).click();
  await card.getByText("Paused").waitFor();
  await other.locator(".card", { hasText: "large.bin" }).getByText("Paused").waitFor();
  await card.getByRole("button", { name: "Resume: large.bin" }).click();
  await card.getByText("Running").waitFor();
  assert.equal(await card.getByRole("combobox").inputValue(), "high");
  await card.getByRole("button", { name: "Cancel: large.bin" }).click();
  await card.getByText("Cancelled").waitFor();
  await page.getByRole("button", { name: "Clear finished" }).click();
  await card.waitFor({ state: "detached" });
});
