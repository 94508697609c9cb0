import type { Logger } from "pino";
import type { Identity } from "../../transport/identity.ts";
import { createControlHandler } from "../control/control-handler.ts";
import { startControlServer } from "../control/control-server.ts";
import type { Operations } from "../operations.ts";
import { type PageOptions, startPageServer } from "../web/page-server.ts";
import { type OwnDeskOptions, openOwnDesk } from "./own-desk.ts";

type LocalServersOptions = OwnDeskOptions & {
  readonly operations: Operations;
  readonly identity: Identity;
  readonly page: PageOptions | undefined;
  readonly log: Logger;
};

/** The two doors to what the owner may ask: the control socket and, if there is to be one, the page. */
export type LocalServers = { readonly page: string | null; close(): Promise<void> };

/** @throws Failure as `startControlServer` and `startPageServer` do */
export async function startLocalServers(options: LocalServersOptions): Promise<LocalServers> {
  const { home, operations, identity, page, log } = options;
  await using started = new AsyncDisposableStack();
  const desk = openOwnDesk(options);
  started.defer(desk.close);
  const local = { operations, own: desk.operations, log };
  const control = await startControlServer({ home, ...local });
  started.defer(control.close);
  const shown = page && (await startPageServer({ page, home, identity, api: createControlHandler(local), log }));
  if (shown) started.defer(shown.close);
  const running = started.move();
  return { page: shown?.url ?? null, close: () => running.disposeAsync() };
}
