import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchWish } from "../../../../src/peer/downloads/queue/fetch-wish.ts";
import type { GetEvent, GetRequest } from "../../../../src/protocol/control-api.ts";
import { Failure, type FailureCode } from "../../../../src/protocol/failures.ts";
import { BOB, CONTENT } from "../../control/fake-operations.ts";
import { doneEvent } from "./scripted-fetch.ts";

const REQUEST: GetRequest = { peer: "bob", names: ["dir/a.bin"], recursive: false, output: null };
const { signal } = new AbortController();
const nothing = (): void => undefined;
const OPTIONS = {
  received: "/r",
  learns: { metPeer: nothing, metSource: nothing, resolved: nothing },
};

/** How each kind of request ends: with the file, with its failure, or (thrown) with that of all. */
type Ends = "done" | FailureCode | `throws ${FailureCode}`;

async function asking(
  wish: { readonly content: typeof CONTENT | null; readonly request?: GetRequest },
  ends: { readonly content?: Ends; readonly anybody?: Ends; readonly name?: Ends },
) {
  const asked: string[] = [];
  async function* fetch(request: GetRequest): AsyncGenerator<GetEvent> {
    const kind = request.peer === null ? "anybody" : request.names[0] === CONTENT ? "content" : "name";
    asked.push(kind);
    const end = ends[kind] ?? "done";
    if (end === "done") yield doneEvent("a.bin");
    else if (end.startsWith("throws ")) throw new Failure(end.slice(7) as FailureCode);
    else yield { event: "failed", path: "a.bin", code: end, message: "" };
  }
  const download = { request: REQUEST, peerId: BOB, ...wish };
  let told: string;
  try {
    const events = await Array.fromAsync(fetchWish(download, fetch, OPTIONS, signal));
    told = events.map((event) => (event.event === "failed" ? event.code : event.event)).join(" ");
  } catch (error) {
    assert.ok(error instanceof Failure);
    told = `throws ${error.code}`;
  }
  return { asked, told };
}

const CASES: { of: string; ends: Parameters<typeof asking>[1]; asked: string[]; told: string }[] = [
  { of: "its peer, which has it", ends: {}, asked: ["content"], told: "done" },
  {
    of: "anybody if its peer is away",
    ends: { content: "throws no-such-peer" },
    asked: ["content", "anybody"],
    told: "done",
  },
  {
    of: "anybody if its peer lies",
    ends: { content: "content-mismatch" },
    asked: ["content", "anybody"],
    told: "done",
  },
  {
    of: "nobody else if the disk is full",
    ends: { content: "disk-full" },
    asked: ["content"],
    told: "disk-full",
  },
  {
    of: "its peer by name if nobody has that content any more",
    ends: { content: "no-such-file", anybody: "no-such-file" },
    asked: ["content", "anybody", "name"],
    told: "done",
  },
  {
    of: "nobody else if its peer is away and nobody has it, and waits for its peer",
    ends: { content: "throws unreachable", anybody: "no-such-file" },
    asked: ["content", "anybody"],
    told: "throws unreachable",
  },
];

for (const { of, ends, asked, told } of CASES) {
  test(`a download whose content is known asks ${of}`, async () => {
    assert.deepEqual(await asking({ content: CONTENT }, ends), { asked, told });
  });
}

test("a download whose content is not known asks its peer alone, by the name that was typed", async () => {
  const ends = { name: "throws no-such-peer" } as const;
  assert.deepEqual(await asking({ content: null }, ends), { asked: ["name"], told: "throws no-such-peer" });
});

test("a content is asked of anybody alone", async () => {
  const request = { ...REQUEST, peer: null, names: [CONTENT] };
  assert.deepEqual(await asking({ content: CONTENT, request }, { anybody: "no-such-file" }), {
    asked: ["anybody"],
    told: "no-such-file",
  });
});

test("anybody's file gets the name that was asked for", async () => {
  const requests: GetRequest[] = [];
  async function* fetch(request: GetRequest): AsyncGenerator<GetEvent> {
    requests.push(request);
    yield { event: "failed", path: "x", code: "no-such-file", message: "" };
  }
  await Array.fromAsync(fetchWish({ request: REQUEST, peerId: BOB, content: CONTENT }, fetch, OPTIONS, signal));
  assert.deepEqual(requests[1], { ...REQUEST, peer: null, names: [CONTENT], called: { [CONTENT]: "dir/a.bin" } });
});
