import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { startAgain, startNetwork, type TestNetwork, type TestPeer } from "../end-to-end/network.ts";
import { tukar } from "../end-to-end/tukar-process.ts";
import { barriers, goTo, launchBrowser, NO_BROWSER, openPage } from "./browser.ts";

const skip = NO_BROWSER;

let browser: Browser;
let network: TestNetwork;
let ada: TestPeer;
let bob: TestPeer;

before(async () => {
  if (NO_BROWSER) return;
  [browser, network] = await Promise.all([launchBrowser(), startNetwork()]);
  [ada, bob] = await Promise.all([network.peer("ada", {}), network.peer("bob", {})]);
});

after(async () => {
  await browser?.close();
  await network?.[Symbol.asyncDispose]();
});

const uiOf = (peer: TestPeer): string => String(peer.ready["ui"]);
const chatOf = (peer: TestPeer): string => `#/chat/${peer.ready["id"]}`;
const by = ({ home, dir }: TestPeer): string[] => ["--home", home, "--dir", dir];

/** Types where the cursor is, and sends with the keyboard. */
async function write(page: Page, name: string, ...lines: readonly string[]): Promise<void> {
  await page
    .getByRole("textbox", { name: `Message to ${name}` })
    .and(page.locator(":focus"))
    .waitFor();
  for (const [at, line] of lines.entries()) {
    if (at > 0) await page.keyboard.press("Shift+Enter");
    await page.keyboard.insertText(line);
  }
  await page.keyboard.press("Enter");
}

test("what is said appears on both sides, counts as unread until it is seen, and is text alone", {
  skip,
}, async (t) => {
  const [here, there] = await Promise.all([openPage(t, browser, uiOf(ada)), openPage(t, browser, uiOf(bob))]);
  await goTo(here, "#/chat");
  await write(here, "Everybody", "hello all", "a second line");
  await here.getByRole("log").getByText("Sent", { exact: true }).waitFor();
  await there.getByRole("link", { name: "Chat 1" }).click();
  await there.getByRole("log").getByText("hello all a second line").waitFor();
  await there.getByRole("link", { name: "Chat", exact: true }).waitFor();

  const hostile = '<img src=x onerror="alert(1)"> \u202egnp.exe\u2066 <b>bold</b>';
  await goTo(here, chatOf(bob));
  await write(here, "bob", hostile);
  await here.getByRole("log").getByText("Delivered").waitFor();
  await there.getByRole("link", { name: "Chat with ada, 1 unread" }).click();
  const text = there.locator(".message-text");
  await there.getByText("gnp.exe").waitFor();
  assert.equal(await text.textContent(), hostile.replaceAll(/[\u202e\u2066]/g, "\ufffd"));
  assert.equal(await text.locator("*").count(), 0);
  await write(there, "ada", "nice try");
  await here.getByRole("log").getByText("nice try").waitFor();
  assert.match((await tukar(["history", "bob", ...by(ada)])).stdout, /bob: nice try\n$/);

  for (const theme of ["light", "dark"]) {
    await there.evaluate(`document.documentElement.dataset.theme = "${theme}"`);
    assert.deepEqual(await barriers(there), [], theme);
  }
  await there.setViewportSize({ width: 375, height: 720 });
  assert.equal(await there.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
  await there.getByRole("textbox", { name: "Message to ada" }).fill("still room to write");
});

test("who comes and leaves is told; what is written to who left is kept, and arrives", { skip }, async (t) => {
  const page = await openPage(t, browser, uiOf(ada));
  await goTo(page, "#/chat");
  await page.getByRole("log").waitFor();
  const cyd = await network.peer("cyd", {});
  await page.getByRole("log").getByText("cyd came").waitFor();
  await cyd.end();
  await page.getByRole("log").getByText("cyd left").waitFor();
  await page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: "cyd" }).click();
  await write(page, "cyd", "for later");
  await page.getByRole("log").getByText("Kept until they are here").waitFor();
  assert.deepEqual(await barriers(page), []);

  // Also after the page was opened anew, which knows cyd from what was said alone.
  await page.reload();
  await page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: "cyd" }).waitFor();
  const again = await startAgain(cyd);
  t.after(() => again.end());
  await again.line({ event: "message", text: "for later" });
  await page.getByRole("log").getByText("Delivered").waitFor();
});

test("a peer is connected to by its address, and what fails is said", { skip }, async (t) => {
  const page = await openPage(t, browser, uiOf(ada), {}, /status of 400 .*\/api\/connect/);
  await page.getByRole("button", { name: "Connect to peer" }).click();
  const dialog = page.getByRole("dialog", { name: "Connect to peer" });
  const address = dialog.getByRole("textbox", { name: "HOST:PORT, or an invite" });
  await address.and(page.locator(":focus")).waitFor();
  await page.keyboard.type("no address");
  await page.keyboard.press("Enter");
  await dialog.locator(".outcome.failed").getByText("is no address").waitFor();
  assert.deepEqual(await barriers(page), []);
  await address.fill(`127.0.0.1:${bob.ready["port"]}`);
  await address.press("Enter");
  await dialog.getByText("Connected to bob").waitFor();
});
