import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { type Contender, freePort, listening, run } from "./contender.ts";
import { isInstalled } from "./measure.ts";

/** tukar and the public tools that it is held against, each set up for speed on loopback; nginx is in `nginx.ts`. */

export const LAUNCHER = path.resolve(import.meta.dirname, "../src/cli/tukar.js");

/** The JSON lines that a tukar process prints until one with this event, by their events. */
export async function linesUntil(child: ChildProcess, event: string): Promise<Record<string, Record<string, unknown>>> {
  if (!child.stdout) throw new Error("no output");
  const lines: Record<string, Record<string, unknown>> = {};
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text);
    lines[line.event] = line;
    if (line.event === event) return lines;
  }
  throw new Error(`tukar ended before ${event}`);
}

/** An index server that is private and listens on loopback. */
export async function startIndex(workDir: string, more: readonly string[] = []) {
  const home = path.join(workDir, "index");
  const index = run(LAUNCHER, ["index", "--json", "--home", home, "--host", "127.0.0.1", "--port", "0", ...more]);
  const invite = String((await linesUntil(index.child, "ready"))["ready"]?.["invite"]);
  return { invite, pid: index.child.pid ?? 0, close: index.close };
}

/** An index server on loopback, and the peers that join it. */
export type TukarNetwork = {
  readonly invite: string;
  /** A peer whose totals the index server has; it may join by another invite than the network's own. */
  peer(
    name: string,
    dir: string,
    options?: readonly string[],
    by?: string,
  ): Promise<{ readonly pid: number; readonly port: number; readonly home: string }>;
  /** Runs a command to its end. */
  run(args: readonly string[]): Promise<void>;
  close(): Promise<void>;
};

export async function startTukarNetwork(workDir: string): Promise<TukarNetwork> {
  const local = ["--json", "--host", "127.0.0.1"];
  const index = await startIndex(workDir);
  const { invite } = index;
  const running: Pick<typeof index, "close">[] = [index];
  return {
    invite,
    async peer(name, dir, options = [], by = invite) {
      const home = path.join(workDir, `${name}-home`);
      const where = ["--name", name, "--home", home, "--dir", dir];
      const peer = run(LAUNCHER, ["peer", by, ...local, "--headless", ...where, ...options]);
      running.unshift(peer);
      const { ready } = await linesUntil(peer.child, "shared");
      return { pid: peer.child.pid ?? 0, port: Number(ready?.["port"]), home };
    },
    async run(args) {
      const child = spawn(LAUNCHER, [...args], { stdio: ["ignore", "ignore", "inherit"] });
      const [status] = await once(child, "exit");
      if (status !== 0) throw new Error(`tukar ${args.join(" ")} failed with ${status}`);
    },
    async close() {
      for (const { close } of running) await close();
    },
  };
}

/** A peer that shares what lies in `shared` in `dir`, its files hashed already. */
export async function startTukar(workDir: string, dir: string): Promise<Contender> {
  const network = await startTukarNetwork(workDir);
  const { pid } = await network.peer("server", dir);
  const client = ["--quiet", "--home", path.join(workDir, "client-home"), "--index", network.invite];
  return {
    name: "tukar (TLS 1.3, verified)",
    pids: [pid],
    fetch: (file, to) => [LAUNCHER, "get", "server", file, "-o", to, ...client],
    fetchFolder: (folder, to) => [LAUNCHER, "get", "server", folder, "-r", "-o", to, ...client],
    close: network.close,
  };
}

/** Copying within the machine: no tool that goes through a network can be quicker. */
export function copying(folder: string): Contender {
  return {
    name: "cp -r (no network: the floor)",
    pids: [],
    fetch: (file, to) => ["cp", path.join(folder, file), to],
    fetchFolder: (below, to) => ["cp", "-r", path.join(folder, below), to],
    close: async () => undefined,
  };
}

export async function startRsyncDaemon(workDir: string, folder: string): Promise<Contender | undefined> {
  if (!isInstalled("rsync")) return undefined;
  const port = await freePort();
  const { uid, gid } = userInfo(); // as root the daemon would read as nobody
  const configuration = path.join(workDir, "rsyncd.conf");
  writeFileSync(
    configuration,
    `use chroot = no\nport = ${port}\naddress = 127.0.0.1\nuid = ${uid}\ngid = ${gid}\n[files]\npath = ${folder}\nread only = yes\n`,
  );
  const server = run("rsync", ["--daemon", "--no-detach", `--config=${configuration}`]);
  await listening(port);
  return {
    name: "rsync daemon (plain)",
    pids: [server.child.pid ?? 0],
    fetch: (file, to) => ["rsync", "-W", "--inplace", `rsync://127.0.0.1:${port}/files/${file}`, to],
    fetchFolder: (below, to) => ["rsync", "-rtp", "-W", "--inplace", `rsync://127.0.0.1:${port}/files/${below}`, to],
    close: server.close,
  };
}

export async function startRsyncOverSsh(workDir: string, folder: string): Promise<Contender | undefined> {
  if (!isInstalled("rsync") || !isInstalled("sshd")) return undefined;
  const port = await freePort();
  const [hostKey, userKey] = [path.join(workDir, "ssh-host"), path.join(workDir, "ssh-user")];
  for (const key of [hostKey, userKey]) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const authorized = path.join(workDir, "authorized_keys");
  writeFileSync(authorized, execFileSync("cat", [`${userKey}.pub`]));
  chmodSync(authorized, 0o600);
  mkdirSync("/run/sshd", { recursive: true });
  const configuration = path.join(workDir, "sshd_config");
  writeFileSync(
    configuration,
    `ListenAddress 127.0.0.1\nPort ${port}\nHostKey ${hostKey}\nAuthorizedKeysFile ${authorized}\nStrictModes no\nUsePAM no\nPidFile none\n`,
  );
  const server = run("/usr/sbin/sshd", ["-D", "-f", configuration]);
  await listening(port);
  const ssh = `ssh -p ${port} -i ${userKey} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
  return {
    name: "rsync over ssh",
    pids: [server.child.pid ?? 0],
    fetch: (file, to) => ["rsync", "-W", "--inplace", "-e", ssh, `127.0.0.1:${path.join(folder, file)}`, to],
    fetchFolder: (below, to) => [
      "rsync",
      "-rtp",
      "-W",
      "--inplace",
      "-e",
      ssh,
      `127.0.0.1:${path.join(folder, below)}`,
      to,
    ],
    close: server.close,
  };
}
