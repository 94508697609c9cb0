import type { Logger } from "pino";
import { Failure } from "../protocol/failures.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Identity } from "../transport/identity.ts";
import {
  type Remote,
  type SecureServer,
  type SecureServerOptions,
  startSecureServer,
} from "../transport/secure-server.ts";
import { createRequestHandler, type ServingOptions } from "./serving/requests.ts";

export type PeerServerOptions = Omit<ServingOptions, "admit" | "admitMember"> & {
  readonly identity: Identity;
  readonly host: string;
  readonly isMember: (id: PeerId) => Promise<boolean>;
  /** Whether anybody may read, member or not, certificate or not. */
  readonly guests: boolean;
  /** A request to become a link. */
  readonly onUpgrade?: NonNullable<SecureServerOptions["onUpgrade"]>;
  readonly log: Logger;
};

/** The port on which a peer serves its shares, once it is known which. */
export type PeerServer = {
  /** @throws Failure as `startSecureServer` does */
  listen(port: number): Promise<void>;
  /** The same, but false if the port is taken. */
  tryListen(port: number): Promise<boolean>;
  address(): { readonly host: string; readonly port: number } | undefined;
  close(): Promise<void>;
};

export function createPeerServer(options: PeerServerOptions): PeerServer {
  const { identity, host, isMember, guests, onUpgrade, log } = options;
  let server: SecureServer | undefined;

  async function admit({ id }: Remote): Promise<void> {
    if (!guests) await admitMember({ id });
  }
  async function admitMember({ id }: Pick<Remote, "id">): Promise<PeerId> {
    if (id === undefined) throw new Failure("certificate-required");
    if (!(await isMember(id))) throw new Failure("not-a-member");
    return id;
  }
  const onRequest = createRequestHandler({ ...options, admit, admitMember });

  async function listen(port: number): Promise<void> {
    server = await startSecureServer({ identity, host, port, onRequest, ...(onUpgrade && { onUpgrade }), log });
  }

  return {
    listen,
    async tryListen(port) {
      try {
        await listen(port);
        return true;
      } catch (error) {
        if (error instanceof Failure && error.code === "port-in-use") return false;
        throw error;
      }
    },
    address: () => server && { host: server.host, port: server.port },
    close: async () => server?.close(),
  };
}
