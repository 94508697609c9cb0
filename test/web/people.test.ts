import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { startAgain, startNetwork, type TestNetwork, type TestPeer } from "../end-to-end/network.ts";
import { goTo, launchBrowser, NO_BROWSER, openPage } from "./browser.ts";

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
    network.peer("bob", { "hello.txt": "hello from bob" }),
  ]);
});

after(async () => {
  await browser?.close();
  await network?.[Symbol.asyncDispose]();
});

const uiOf = (peer: TestPeer): string => String(peer.ready["ui"]);
const filesOf = (peer: TestPeer, folder = ""): string => `#/files/${peer.ready["id"]}${folder}`;

test("files that are chosen are offered, taken, and from then on taken without asking", { skip }, async (t) => {
  const [sending, receiving] = await Promise.all([openPage(t, browser, uiOf(ada)), openPage(t, browser, uiOf(bob))]);
  const send = async (name: string, text: string): Promise<void> => {
    const files = { name, mimeType: "text/plain", buffer: Buffer.from(text) };
    await sending.locator("input[type=file]").first().setInputFiles(files);
  };
  await goTo(sending, "#/sending");
  await sending.getByRole("combobox", { name: "Send to" }).selectOption({ label: "bob" });
  await send("letter.txt", "dear bob");
  await receiving.getByRole("link", { name: "Send 1" }).click();
  const offer = receiving.locator(".offer.open");
  await offer.getByText("ada offers 1 file, 8 B").waitFor();
  await offer.getByRole("button", { name: "Always accept from this peer" }).click();
  await sending.locator(".card", { hasText: "letter.txt" }).getByText("Delivered").waitFor();
  assert.equal(await readFile(path.join(bob.dir, "received", "letter.txt"), "utf8"), "dear bob");
  await send("second.txt", "dear bob, once more");
  await sending.locator(".card", { hasText: "second.txt" }).getByText("Delivered").waitFor();
  await goTo(receiving, "#/settings");
  await receiving.getByRole("button", { name: "Remove: ada" }).click();
  await receiving.getByText("Always accepted").waitFor({ state: "detached" });
  await send("third.txt", "no more");
  await goTo(receiving, "#/sending");
  await offer.getByRole("button", { name: "Decline" }).click();
  await sending.locator(".card", { hasText: "third.txt" }).getByText("Declined").waitFor();
});

test("a folder of this machine is shared and no longer shared; others see it", { skip }, async (t) => {
  const films = path.join(network.folder, "films");
  await mkdir(films);
  await writeFile(path.join(films, "short.txt"), "a film");
  const page = await openPage(t, browser, uiOf(ada));
  await goTo(page, "#/shares");
  await page.getByText("given at the start").waitFor();
  await page.getByRole("button", { name: "Share a folder or file" }).click();
  const dialog = page.locator("dialog");
  await dialog.getByRole("textbox", { name: "Path" }).fill(network.folder);
  await dialog.getByRole("button", { name: "Go" }).click();
  await dialog.getByRole("button", { name: "films", exact: true }).click();
  await dialog.getByText("short.txt").waitFor();
  await dialog.getByRole("button", { name: "Share this folder" }).click();
  await page.locator(".card", { hasText: films }).getByText("as films").waitFor();
  const others = await openPage(t, browser, uiOf(bob));
  await goTo(others, "#/search?q=short");
  await others.getByRole("listbox", { name: "Search" }).getByText("short.txt").waitFor();
  await page.getByRole("button", { name: "Stop sharing films" }).click();
  await page.locator(".card", { hasText: films }).waitFor({ state: "detached" });
});

test("a peer that leaves while its files are shown is shown as gone, and its files stay to be read", {
  skip,
}, async (t) => {
  const chandra = await network.peer("chandra", { "here.txt": "still" });
  const page = await openPage(t, browser, uiOf(ada));
  await goTo(page, filesOf(chandra));
  await page.getByRole("listbox", { name: "Files" }).getByText("here.txt").waitFor();
  await chandra.end();
  await page.getByText("chandra has left.").waitFor();
  await page.locator(".peer-link", { hasText: "chandra" }).getByRole("img", { name: "Gone" }).waitFor();
  await page.getByRole("listbox", { name: "Files" }).getByText("here.txt").waitFor();
});

test("a peer that ends is told of, and found again by itself when it is back", { skip }, async (t) => {
  const dora = await network.peer("dora", {});
  const page = await openPage(t, browser, uiOf(dora));
  await dora.end();
  await page.getByRole("alert").getByText("The connection to your peer is lost").waitFor();
  const again = await startAgain(dora);
  t.after(() => again.end());
  await page.getByRole("alert").waitFor({ state: "detached" });
  await page.locator(".peer-link", { hasText: "bob" }).waitFor();
});
