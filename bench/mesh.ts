import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { median } from "./measure.ts";
import type { MeshOrder, MeshState } from "./mesh-peers.ts";
import { fixed, mib, printTable } from "./table.ts";

const PROCESSES = 10;
const EACH = 20;
const KILLED = 3;
const LOOK_EVERY_MS = 250;
const WITHIN_MS = 120_000;
const BROADCASTS = 20;

type Group = { readonly child: ChildProcess; told(order: MeshOrder): Promise<MeshState> };

/** 200 peers of one mesh in ten processes on loopback: a broadcast to all, and what is left when three processes are killed at once. */
export async function benchMesh(workDir: string): Promise<void> {
  const groups = Array.from({ length: PROCESSES }, startGroup);
  const rows: string[][] = [];
  const say = (what: string, value: string): void => {
    rows.push([what, value]);
    console.log(`${what}: ${value}`);
  };
  try {
    const [first, ...others] = groups;
    if (!first) return;
    const startedAtMs = performance.now();
    const { ports } = await first.told({ do: "start", count: 1, meets: undefined, workDir });
    const meets = ports[0];
    await first.told({ do: "start", count: EACH - 1, meets, workDir });
    await Promise.all(others.map((group) => group.told({ do: "start", count: EACH, meets, workDir })));
    await until(groups, (states) => everybodyKnows(states, PROCESSES * EACH));
    say(
      `${PROCESSES * EACH} peers, each told of the same one, are started and know each other after`,
      `${seconds(startedAtMs)} s`,
    );
    const settled = await all(groups);
    say("neighbours of a peer: least, median, most", spread(settled.flatMap(({ neighbours }) => neighbours)));
    say(
      `resident memory of a process with ${EACH} peers, and by peer`,
      `${mib(median(settled.map(({ residentBytes }) => residentBytes)))} MiB, ${fixed(median(settled.map(({ residentBytes }) => residentBytes)) / EACH / 2 ** 20, 1)} MiB`,
    );

    const cpuBefore = sum(await all(groups), ({ cpuSeconds }) => cpuSeconds);
    await delay(20_000);
    const idle = sum(await all(groups), ({ cpuSeconds }) => cpuSeconds) - cpuBefore;
    say("idle: of a core, all peers together", `${fixed((idle / 20) * 100, 1)} %`);

    const before = sum(await all(groups), ({ copies }) => copies);
    const lastMs: number[] = [];
    const speakers = others[0];
    for (let count = 0; count < BROADCASTS && speakers; count += 1) {
      const text = `broadcast ${count}`;
      const saidAtMs = Date.now();
      await speakers.told({ do: "broadcast", text });
      const wanted = PROCESSES * EACH - 1;
      const states = await until(groups, (states) => sum(states, ({ heard }) => heard[text]?.by ?? 0) >= wanted);
      lastMs.push(Math.max(...states.map(({ heard }) => heard[text]?.lastMs ?? 0)) - saidAtMs);
    }
    const copies = sum(await all(groups), ({ copies }) => copies) - before;
    const reached = BROADCASTS * PROCESSES * EACH;
    say(
      "a broadcast: copies that come to a peer over links it accepted (about half of all)",
      fixed(copies / reached, 2),
    );
    say(
      "a broadcast: last of all heard it after (median, most)",
      `${fixed(median(lastMs), 0)} ms, ${fixed(Math.max(...lastMs), 0)} ms`,
    );

    const left = groups.slice(0, PROCESSES - KILLED);
    for (const { child } of groups.slice(PROCESSES - KILLED)) child.kill("SIGKILL");
    const killedAtMs = Date.now();
    const survivors = (PROCESSES - KILLED) * EACH;
    // Said again and again, until once all have heard it: then they are connected.
    let reachedAtMs: number | undefined;
    for (let count = 0; reachedAtMs === undefined && Date.now() - killedAtMs < WITHIN_MS; count += 1) {
      const text = `after the kill ${count}`;
      await speakers?.told({ do: "broadcast", text });
      await delay(LOOK_EVERY_MS);
      const states = await all(left);
      if (sum(states, ({ heard }) => heard[text]?.by ?? 0) >= survivors - 1)
        reachedAtMs = Math.max(...states.map(({ heard }) => heard[text]?.lastMs ?? 0));
    }
    const after =
      reachedAtMs === undefined ? "not within two minutes" : `${fixed((reachedAtMs - killedAtMs) / 1000, 1)} s`;
    say(`${KILLED * EACH} killed at once: a broadcast reaches all the others again after`, after);
    await delay(Math.max(0, killedAtMs + 15_000 - Date.now()));
    const states = await all(left);
    say(
      "15 s after that, the killed that a peer still lists: least, median, most",
      spread(states.flatMap(({ known }) => known.map((others) => others - survivors + 1))),
    );
    say("neighbours of a peer then: least, median, most", spread(states.flatMap(({ neighbours }) => neighbours)));
    printTable("A mesh of peers", ["what", "measured"], rows);
  } finally {
    for (const { child } of groups) child.kill("SIGKILL");
  }
}

function startGroup(): Group {
  const child = fork(path.join(import.meta.dirname, "mesh-peers.ts"), { stdio: "inherit" });
  const ended = once(child, "exit").then(() => Promise.reject(new Error("a process of peers ended")));
  ended.catch(() => undefined);
  return {
    child,
    async told(order) {
      child.send(order);
      const answered = new Promise<MeshState>((resolve) => {
        child.once("message", (state) => resolve(state as MeshState));
      });
      return Promise.race([answered, ended]);
    },
  };
}

function all(groups: readonly Group[]): Promise<MeshState[]> {
  return Promise.all(groups.map((group) => group.told({ do: "state" })));
}

/** Looks again and again until it is so. */
async function until(
  groups: readonly Group[],
  isSo: (states: readonly MeshState[]) => boolean,
): Promise<readonly MeshState[]> {
  const startedAtMs = performance.now();
  for (;;) {
    const states = await all(groups);
    if (isSo(states)) return states;
    if (performance.now() - startedAtMs > WITHIN_MS) {
      const known = states.flatMap(({ known }) => known);
      throw new Error(`it did not come to that: peers know ${spread(known)} others`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

function everybodyKnows(states: readonly MeshState[], count: number): boolean {
  return states.every(({ known }) => known.every((others) => others === count - 1));
}

function sum(states: readonly MeshState[], of: (state: MeshState) => number): number {
  return states.reduce((total, state) => total + of(state), 0);
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values)}, ${median(values)}, ${Math.max(...values)}`;
}

function seconds(startedAtMs: number): string {
  return fixed((performance.now() - startedAtMs) / 1000, 1);
}
