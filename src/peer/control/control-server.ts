import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { controlAddress } from "./control-address.ts";
import { type ControlHandlerOptions, createControlHandler } from "./control-handler.ts";
import { isAnswered } from "./is-answered.ts";
import { checkSocketFolder, isSocketFile, makeSocketFolder } from "./socket-folder.ts";

export type ControlServerOptions = ControlHandlerOptions & { readonly home: string };
export type ControlServer = { close(): Promise<void> };

/** How long whoever is being answered may take to hear that the peer leaves. */
const GOODBYE_MS = 300;
const ONLY_OWNER = 0o600;

/**
 * Opens the local API of the peer under `home`, for its owner alone.
 * @throws Failure "home-in-use" if a peer already runs there, "home-unusable" if the socket cannot be made
 */
export async function startControlServer({ home, ...options }: ControlServerOptions): Promise<ControlServer> {
  const address = controlAddress(home);
  const handler = createControlHandler(options);
  const server = createServer({ requestTimeout: 0 }, handler.handle);
  if (isSocketFile(address)) await makeSocketFolder(address);
  await checkSocketFolder(address, home);
  await listen(server, address, home);
  if (isSocketFile(address)) await chmod(address, ONLY_OWNER);

  return {
    async close() {
      const closed = once(server, "close");
      server.close();
      await Promise.race([handler.close(), delay(GOODBYE_MS, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, address: string, home: string): Promise<void> {
  if (await bound(server, address)) return;
  if (await isAnswered(address)) throw homeInUse(home);
  if (isSocketFile(address)) await rm(address, { force: true }); // a killed peer left it behind
  if (!(await bound(server, address))) throw homeInUse(home);
}

/** Whether the server could take the address; not if somebody else has it. */
async function bound(server: Server, address: string): Promise<boolean> {
  try {
    server.listen(address);
    await once(server, "listening");
    return true;
  } catch (cause) {
    if (isErrno(cause, "EADDRINUSE")) return false;
    throw new Failure("home-unusable", `Cannot open the control socket "${address}": choose another --home`, { cause });
  }
}

function homeInUse(home: string): Failure {
  return new Failure(
    "home-in-use",
    `A peer is already running under "${home}": use it with tukar shell, or choose another --home`,
  );
}
