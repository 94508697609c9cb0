import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { createOutput } from "../../../src/cli/output.ts";
import { runShell } from "../../../src/cli/shell/shell.ts";
import type { Operations } from "../../../src/peer/operations.ts";
import type { PeerEvent } from "../../../src/protocol/control-api.ts";
import { BOB, BOB_SUMMARY, fakeOperations, INFO, thenSilence } from "../../peer/control/fake-operations.ts";
import { memoryStream } from "../memory-output.ts";
import { tempHome } from "../temp-home.ts";

const LIMIT = { timeout: 10_000 };
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

/** The shell on a terminal that a test types into. */
async function terminalShell(t: TestContext, changes: Partial<Operations> = {}) {
  const home = await tempHome(t);
  const terminal = memoryStream({ isTTY: true });
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const ending = new AbortController();
  const left = runShell({
    operations: fakeOperations(changes),
    output: createOutput({ out: terminal, err: terminal, json: false, quiet: false, colour: false }),
    signal: ending.signal,
    cwd: home,
    now: () => 0,
    home,
    input,
    terminal,
  });
  let seen = 0;
  let check = (): void => undefined;
  const write = terminal._write.bind(terminal);
  terminal._write = (chunk, encoding, done) => {
    write(chunk, encoding, done);
    check();
  };
  return {
    home,
    left,
    ending,
    type: (text: string) => void input.write(text),
    /** Resolves when this text appears after what was waited for before. */
    shows(text: string): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      check = () => {
        const at = terminal.text().indexOf(text, seen);
        if (at === -1) return;
        seen = at + text.length;
        check = () => undefined;
        resolve();
      };
      check();
      return promise;
    },
  };
}

test("what is typed is run and remembered, until Ctrl-D", LIMIT, async (t) => {
  const { home, left, type, shows } = await terminalShell(t);
  await shows("tukar> ");
  type("/ping bob\r");
  await shows("answered in 1.3 ms\n");
  await shows("tukar> ");
  type(CTRL_D);
  assert.equal(await left, undefined);
  assert.equal(await readFile(path.join(home, "shell-history"), "utf8"), "/ping bob\n");
});

test("it tells how to go on, and whether a peer runs", LIMIT, async (t) => {
  const ofPeer = await terminalShell(t);
  await ofPeer.shows("Type help to see what can be done");
  ofPeer.ending.abort();
  await ofPeer.left;
  const alone = await terminalShell(t, { info: async () => ({ ...INFO, role: "visitor", port: null }) });
  await alone.shows("No peer runs here, so nothing is shared");
  alone.ending.abort();
  await alone.left;
});

test("Tab completes", LIMIT, async (t) => {
  const { left, type, shows } = await terminalShell(t);
  await shows("tukar> ");
  type("ping bo\t");
  await shows("b\\ the\\ second ");
  type("\r");
  await shows("answered in");
  type("quit\r");
  await left;
});

test("what happens appears above the prompt, and what was typed stays", LIMIT, async (t) => {
  const wake = Promise.withResolvers<void>();
  async function* events(signal: AbortSignal): AsyncGenerator<PeerEvent> {
    await wake.promise;
    yield* thenSilence([{ event: "peer-left", id: BOB, name: BOB_SUMMARY.name }], signal);
  }
  const { left, type, shows } = await terminalShell(t, { events });
  await shows("tukar> ");
  type("inf");
  await shows("f");
  wake.resolve();
  await shows("bob the second (bbbbbbbb) left\n");
  await shows("tukar> inf");
  type("o\r");
  await shows("Index server");
  type(CTRL_D);
  await left;
});

test("Ctrl-C cancels the running command; at an empty prompt it tells how to leave", LIMIT, async (t) => {
  const started = Promise.withResolvers<void>();
  const { left, type, shows } = await terminalShell(t, {
    get(_, signal) {
      started.resolve();
      return thenSilence([], signal);
    },
  });
  await shows("tukar> ");
  type("get bob x\r");
  await started.promise;
  type(CTRL_C);
  await shows("Cancelled");
  await shows("tukar> ");
  type(CTRL_C);
  await shows("Type quit or press Ctrl-D to leave");
  type("quit\r");
  await left;
});

test("the shell leaves when the program is told to end", LIMIT, async (t) => {
  const { left, ending, shows } = await terminalShell(t);
  await shows("tukar> ");
  ending.abort();
  assert.equal(await left, undefined);
});
