import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** Something that serves a folder, and the command that fetches a file of it to a path. */
export type Contender = {
  readonly name: string;
  readonly pids: readonly number[];
  fetch(file: string, to: string): readonly string[];
  /** The command that fetches a folder with all in it into the folder `to`. */
  fetchFolder?(folder: string, to: string): readonly string[];
  close(): Promise<void>;
};

/** Starts a process that runs until it is ended; `close` ends it. */
export function run(
  command: string,
  args: readonly string[],
): { readonly child: ChildProcess; close(): Promise<void> } {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
  return {
    child,
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves once something accepts connections at the port. */
export async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const socket = connect(port, "127.0.0.1");
    const open = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on ${port}`);
}
