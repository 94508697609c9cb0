import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseInvite } from "../src/protocol/invite.ts";
import type { CameAndWent, Count, CrowdOrder, CrowdReport, Heard, Joined, Said } from "./crowd.ts";
import { type IndexProbe, probeIndex } from "./index-probe.ts";
import { costOf, median, residentBytesOf } from "./measure.ts";
import { startIndex } from "./servers.ts";
import { fixed, mib, printTable } from "./table.ts";

const IDLE_MS = 20_000;
const CALM_WITHIN_MS = 120_000;
/** A crowd that gets no more than this a second hears PONGs and nothing else. */
const CALM_BYTES_A_SECOND = 2 ** 20;
const ROUNDS = 3;
const ANSWERING = 500;
/** Between two changes, so that each meets a feed at rest. */
const REST_MS = 6_000;

/**
 * Many peers at one index server, the real `tukar index` in a process of its own; the crowd lives in a second process and
 * comes from several addresses of loopback. TUKAR_BENCH_SESSIONS sets its size, TUKAR_BENCH_AT_ONCE how many join at
 * once (all of them).
 */
export async function benchIndexSessions(workDir: string): Promise<void> {
  const sessions = Number(process.env["TUKAR_BENCH_SESSIONS"] ?? 10_000);
  const atOnce = Number(process.env["TUKAR_BENCH_AT_ONCE"] ?? sessions);
  const index = await startIndex(workDir, ["--peer-ports", "20000-29999"]);
  const crowd = startCrowd();
  const invite = parseInvite(index.invite);
  if (!invite) throw new Error("no invite");
  const probe = await probeIndex(invite);
  const look = watch(index.pid, probe);
  try {
    const rows: string[][] = [];
    const say = (what: string, value: string): void => {
      rows.push([what, value]);
      console.log(`${what}: ${value}`);
    };
    const order = (count: number, atOnce: number, answers: boolean): CrowdOrder => ({
      do: "join",
      invite: index.invite,
      count,
      atOnce,
      answers,
    });
    await look();
    const answering = await crowd.told<Joined>(order(ANSWERING, 50, true));
    const { cpuSeconds: warmCpu } = await look();
    say(`${ANSWERING} who answer when connected back to, 50 at a time`, joins(answering, warmCpu));
    const before = residentBytesOf(index.pid);

    const joined = await crowd.told<Joined>(order(sessions - ANSWERING, atOnce, false));
    const arrival = await look();
    say(
      `${sessions - ANSWERING} more, ${Math.min(atOnce, sessions - ANSWERING)} at once, where nothing listens`,
      joins(joined, arrival.cpuSeconds),
    );
    say("longest stall of the event loop, longest answer meanwhile", stall(arrival));
    const calmSeconds = await calm(crowd);
    const settling = await look();
    say(
      "then until all have been told of each other",
      `${fixed(calmSeconds, 1)} s, CPU ${fixed(settling.cpuSeconds, 1)} s, ${stall(settling)}`,
    );
    const { in: present, lost, bytes } = await crowd.told<Count>({ do: "count" });
    say("in at the end, sessions lost meanwhile, MiB sent to all", `${present}, ${lost}, ${mib(bytes)}`);
    const held = residentBytesOf(index.pid);
    say(
      "resident memory, and a session",
      `${mib(held)} MiB, ${fixed((held - before) / 1024 / (sessions - ANSWERING), 1)} KiB`,
    );

    await look();
    await delay(IDLE_MS);
    const idle = await look();
    say("idle (PINGs alone)", `${fixed((idle.cpuSeconds / IDLE_MS) * 100_000, 1)} % of a core, ${stall(idle)}`);

    for (let round = 0; round < ROUNDS; round += 1) {
      const { firstByteMs, ms, bytes: size, lines } = await probe.roster();
      const { cpuSeconds, stallMs } = await look();
      say(
        "GET /v1/peers",
        `${lines} entries, ${size} bytes, first after ${fixed(firstByteMs, 0)} ms, all after ${fixed(ms, 0)} ms, CPU ${fixed(cpuSeconds)} s, stall ${fixed(stallMs, 0)} ms`,
      );
    }

    const changes: CameAndWent[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await delay(REST_MS);
      await look();
      const change = await crowd.told<CameAndWent>({ do: "come and go" });
      const cost = await look();
      changes.push(change);
      say(
        "one comes, then goes",
        `${heard(change.came)}; ${heard(change.went)}; CPU ${fixed(cost.cpuSeconds)} s, ${stall(cost)}`,
      );
    }
    say(
      "median: heard by the last of all",
      `came ${fixed(median(changes.map(({ came }) => came.lastMs)), 0)} ms, went ${fixed(median(changes.map(({ went }) => went.lastMs)), 0)} ms`,
    );

    for (let round = 0; round < ROUNDS; round += 1) {
      await delay(REST_MS);
      await look();
      const { said } = await crowd.told<Said>({ do: "broadcast" });
      const cost = await look();
      say("one says something to all", `${heard(said)}; CPU ${fixed(cost.cpuSeconds)} s, ${stall(cost)}`);
    }

    const endingAtMs = performance.now();
    await index.close();
    say("from SIGTERM to the end of the index server", `${fixed(performance.now() - endingAtMs, 0)} ms`);
    printTable(`One index server, ${sessions} sessions`, ["what", "measured"], rows);
  } finally {
    probe.close();
    crowd.close();
    await index.close();
  }
}

type Cost = { readonly cpuSeconds: number; readonly stallMs: number; readonly answerMs: number };

/** What the index server used and how long it did not answer since the last look. */
function watch(pid: number, probe: IndexProbe): () => Promise<Cost> {
  let before = 0;
  return async () => {
    const { cpuSeconds } = costOf([pid]);
    const used = cpuSeconds - before;
    before = cpuSeconds;
    return { cpuSeconds: used, stallMs: await probe.longestStallMs(), answerMs: probe.longestAnswerMs() };
  };
}

function joins({ joined, seconds, failures }: Joined, cpuSeconds: number): string {
  const perJoin = (cpuSeconds / joined) * 1000;
  return `${fixed(seconds, 1)} s, ${fixed(joined / seconds, 0)}/s, CPU ${fixed(perJoin)} ms each, ${failures} failed tries`;
}

function stall({ stallMs, answerMs }: Cost): string {
  return `stall ${fixed(stallMs, 0)} ms, answer ${fixed(answerMs, 0)} ms`;
}

function heard({ by, firstMs, lastMs }: Heard): string {
  return `${by} heard within ${fixed(firstMs, 0)} to ${fixed(lastMs, 0)} ms`;
}

/** Seconds until hardly anything is sent to the crowd any more. */
async function calm(crowd: Crowd): Promise<number> {
  const startedAtMs = performance.now();
  let { bytes } = await crowd.told<Count>({ do: "count" });
  while (performance.now() - startedAtMs < CALM_WITHIN_MS) {
    await delay(5_000);
    const { bytes: now } = await crowd.told<Count>({ do: "count" });
    if (now - bytes < 5 * CALM_BYTES_A_SECOND) break;
    bytes = now;
  }
  return (performance.now() - startedAtMs) / 1000;
}

type Crowd = { told<R extends CrowdReport>(order: CrowdOrder): Promise<R>; close(): void };

function startCrowd(): Crowd {
  const child: ChildProcess = fork(path.join(import.meta.dirname, "crowd.ts"), { stdio: "inherit" });
  return {
    async told<R>(order: CrowdOrder) {
      child.send(order);
      const [report] = await Promise.race([
        once(child, "message"),
        once(child, "exit").then(() => Promise.reject(new Error("the crowd's process ended"))),
      ]);
      return report as R;
    },
    close: () => void child.kill(),
  };
}
