import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { createControlHandler } from "../../src/peer/control/control-handler.ts";
import { startPageServer } from "../../src/peer/web/page-server.ts";
import type { ListEntry } from "../../src/protocol/listing.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { BOB_SUMMARY, fakeOperations, file } from "../peer/control/fake-operations.ts";
import { fakeOwn } from "../peer/web/fake-own.ts";
import { log } from "../support/silent-log.ts";

/** The page of a peer who knows somebody with half a million files in one folder. */

const FILES = 500_000;

async function* many(): AsyncGenerator<ListEntry> {
  for (let at = 0; at < FILES; at++) yield file(`file ${String(at).padStart(6, "0")}.mp3`, at);
}

const server = await startPageServer({
  page: { host: "127.0.0.1", port: 0, password: undefined },
  home: String(workerData),
  identity: await createIdentity(),
  api: createControlHandler({ operations: fakeOperations({ list: many }), own: fakeOwn(), log }),
  log,
  folder: fileURLToPath(new URL("../../dist/web/", import.meta.url)),
});
parentPort?.postMessage({ url: server.url, peer: BOB_SUMMARY.id });
