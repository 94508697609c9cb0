import type { Fetch, FetchOptions } from "../../../../src/peer/downloads/queue/fetch.ts";
import { createEventQueue } from "../../../../src/peer/event-queue.ts";
import type { GetEvent, GetRequest } from "../../../../src/protocol/control-api.ts";
import { createMailbox, type Mailbox } from "../../../support/mailbox.ts";
import { CONTENT } from "../../control/fake-operations.ts";

/** One run of a download that does what a test says. */
export type ScriptedRun = {
  readonly request: GetRequest;
  readonly learns: FetchOptions["learns"];
  readonly signal: AbortSignal;
  tell(event: GetEvent): void;
  /** Its only file is there, and it ends. */
  finish(): void;
  fail(reason: unknown): void;
};

/** A `fetch` that fetches nothing; its runs end when the test says so, or when they are stopped. */
export function scriptedFetch(): {
  readonly fetch: Fetch;
  readonly runs: Mailbox<ScriptedRun>;
  run(number: number): Promise<ScriptedRun>;
} {
  const runs = createMailbox<ScriptedRun>();
  return {
    runs,
    async run(number) {
      await runs.count(number + 1);
      const run = runs.all[number];
      if (!run) throw new Error("there is no such run");
      return run;
    },
    fetch(request, { learns }, signal) {
      const events = createEventQueue<GetEvent>();
      signal.addEventListener("abort", () => events.end(signal.reason), { once: true });
      runs.push({
        request,
        learns,
        signal,
        tell: events.push,
        finish() {
          events.push(doneEvent(request.names[0] ?? ""));
          events.end();
        },
        fail: events.end,
      });
      return events;
    },
  };
}

export function doneEvent(path: string, bytes = 9): Extract<GetEvent, { event: "done" }> {
  return { event: "done", path, saved: `/received/${path}`, bytes, content: CONTENT, sources: 1, seconds: 0.5 };
}
