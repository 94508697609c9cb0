import { mkdtempSync } from "node:fs";
import path from "node:path";
import { pino } from "pino";
import type { Messenger } from "../src/peer/chat/messenger.ts";
import { emptyLibrary } from "../src/peer/library/empty-library.ts";
import { openTalking, type Talking } from "../src/peer/talking.ts";
import { peerNameFrom } from "../src/protocol/peer-name.ts";
import { acceptLinks } from "../src/transport/accept-links.ts";
import { systemClock } from "../src/transport/clock.ts";
import { openKnownIds } from "../src/transport/known-ids.ts";
import { startSecureServer } from "../src/transport/secure-server.ts";
import { createIdentityMould } from "./cheap-identity.ts";

/** A process with many peers of one mesh, that `mesh.ts` tells by IPC what to do. */

export type MeshOrder =
  /** So many more, each told of one port where somebody is (nobody, of the first). */
  | { readonly do: "start"; readonly count: number; readonly meets: number | undefined; readonly workDir: string }
  | { readonly do: "state" }
  | { readonly do: "broadcast"; readonly text: string };
export type MeshState = {
  readonly ports: readonly number[];
  /** How many others each of them knows, and how many it is linked with. */
  readonly known: readonly number[];
  readonly neighbours: readonly number[];
  /** By text: how many of them heard it, and when the last one did (milliseconds since 1970). */
  readonly heard: Readonly<Record<string, { readonly by: number; readonly lastMs: number }>>;
  /** Copies of broadcasts that came in. */
  readonly copies: number;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
};

type Peer = { readonly port: number; readonly messenger: Messenger; readonly mesh: ReturnType<Talking["beginMesh"]> };

const peers: Peer[] = [];
const heard: Record<string, { readonly by: number; readonly lastMs: number }> = {};
let copies = 0;
const makeIdentity = await createIdentityMould();
const log = pino({ level: "silent" });

process.on("message", async (order: MeshOrder) => process.send?.(await obey(order)));
process.on("disconnect", () => process.exit());

async function obey(order: MeshOrder): Promise<MeshState> {
  if (order.do === "start") {
    for (let count = 0; count < order.count; count += 1) peers.push(await start(order.workDir, order.meets));
  }
  if (order.do === "broadcast") {
    const says = peers[0]?.messenger.say({ peer: null, text: order.text }, new AbortController().signal);
    for await (const _event of says ?? []);
  }
  const counts = peers.map(({ mesh }) => mesh.counts());
  const { user, system } = process.cpuUsage();
  return {
    ports: peers.map(({ port }) => port),
    known: counts.map(({ peers: known }) => known),
    neighbours: counts.map(({ neighbours }) => neighbours),
    heard,
    copies,
    residentBytes: process.memoryUsage().rss,
    cpuSeconds: (user + system) / 1e6,
  };
}

async function start(workDir: string, meets: number | undefined): Promise<Peer> {
  const identity = makeIdentity();
  const home = mkdtempSync(path.join(workDir, "peer-"));
  const self = { id: identity.id, name: peerNameFrom("peer") };
  const talking = openTalking({
    home,
    identity,
    self,
    key: undefined,
    knownIds: await openKnownIds(home),
    clock: systemClock,
    log,
    isMember: async (id) => mesh.isMember(id),
    index: () => undefined,
    tell(event) {
      if (event.event !== "message") return;
      heard[event.text] = { by: (heard[event.text]?.by ?? 0) + 1, lastMs: Date.now() };
    },
  });
  const { port } = await startSecureServer({
    identity,
    host: "127.0.0.1",
    port: 0,
    log,
    onRequest: (_request, response) => void response.end(),
    onUpgrade: acceptLinks({
      self,
      key: undefined,
      clock: systemClock,
      onLink: talking.links.accept,
      onMessage(message, link) {
        if (message.type === "BROADCAST") copies += 1;
        talking.links.receive(message, link);
      },
    }),
  });
  const mesh = talking.beginMesh({
    port,
    hosts: () => [],
    totals: () => ({ files: 0, bytes: 0 }),
    meeting: meets === undefined ? [] : [{ address: { host: "127.0.0.1", port: meets }, id: undefined }],
    listener: { joined: () => undefined, left: () => undefined },
    library: emptyLibrary(),
  });
  const messenger = talking.begin({
    network: "mesh",
    find: () => Promise.reject(new Error("nobody is looked for")),
    async *peers() {
      yield* mesh.peers();
    },
    acquaintances: () => [],
  });
  return { port, messenger, mesh };
}
