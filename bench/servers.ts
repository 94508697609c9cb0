import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { userInfo } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { isInstalled } from "./measure.ts";

/** The public tools that tukar is held against, each set up for speed on loopback. */

/** Something that serves a folder, and the command that fetches a file of it to a path. */
export type Contender = {
  readonly name: string;
  readonly pids: readonly number[];
  fetch(file: string, to: string): readonly string[];
  /** The command that fetches a folder with all in it into the folder `to`. */
  fetchFolder?(folder: string, to: string): readonly string[];
  close(): Promise<void>;
};

export const LAUNCHER = path.resolve(import.meta.dirname, "../src/cli/tukar.js");

/** Starts a process that runs until it is ended; `close` ends it. */
function run(command: string, args: readonly string[]): { readonly child: ChildProcess; close(): Promise<void> } {
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves once something accepts connections at the port. */
async function listening(port: number): Promise<void> {
  const { connect } = await import("node:net");
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

/** The JSON lines that a tukar process prints until one with this event, by their events. */
async function linesUntil(child: ChildProcess, event: string): Promise<Record<string, Record<string, unknown>>> {
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
  /** A peer whose totals the index server has. */
  peer(
    name: string,
    dir: string,
    options?: readonly string[],
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
    async peer(name, dir, options = []) {
      const home = path.join(workDir, `${name}-home`);
      const where = ["--name", name, "--home", home, "--dir", dir];
      const peer = run(LAUNCHER, ["peer", invite, ...local, "--headless", ...where, ...options]);
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

export async function startNginx(workDir: string, folder: string): Promise<Contender | undefined> {
  if (!isInstalled("nginx") || !isInstalled("curl") || !isInstalled("openssl")) return undefined;
  const port = await freePort();
  const [key, certificate] = [path.join(workDir, "nginx.key"), path.join(workDir, "nginx.crt")];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      key,
      "-out",
      certificate,
      "-days",
      "2",
      "-subj",
      "/CN=localhost",
    ],
    { stdio: "ignore" },
  );
  const configuration = path.join(workDir, "nginx.conf");
  writeFileSync(
    configuration,
    `daemon off; user root; pid ${workDir}/nginx.pid; error_log /dev/null; worker_processes 1; events { worker_connections 64; }
     http { access_log off; sendfile on; tcp_nopush on; server { listen 127.0.0.1:${port} ssl; root ${folder};
     ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; } }`,
  );
  const server = run("nginx", ["-c", configuration, "-p", workDir]);
  await listening(port);
  return {
    name: "nginx -> curl (TLS 1.3, unverified)",
    pids: [server.child.pid ?? 0],
    fetch: (file, to) => ["curl", "-sS", "-k", "-o", to, `https://127.0.0.1:${port}/${file}`],
    // curl lists nothing: it is told what there is, and does not pay for finding out.
    fetchFolder(below, to) {
      const list = path.join(workDir, "curl-list");
      const files = readdirSync(path.join(folder, below), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
      const lines = files.map(
        (file) => `url = "https://127.0.0.1:${port}/${encodeURI(file)}"\noutput = "${path.join(to, file)}"\n`,
      );
      writeFileSync(list, lines.join(""));
      return ["curl", "-sS", "-k", "--parallel", "--parallel-max", "16", "--create-dirs", "-K", list];
    },
    close: server.close,
  };
}

/** The one of the public tools here that verifies what it fetched, by SHA-256; from the same nginx. */
export function aria2From(nginx: Contender, folder: string): Contender | undefined {
  if (!isInstalled("aria2c")) return undefined;
  const sums = new Map<string, string>();
  const sumOf = (file: string): string => {
    const known =
      sums.get(file) ?? execFileSync("sha256sum", [path.join(folder, file)], { encoding: "utf8" }).slice(0, 64);
    sums.set(file, known);
    return known;
  };
  const options = ["-q", "--check-certificate=false", "--file-allocation=none", "--allow-overwrite=true"];
  return {
    name: "nginx -> aria2 (TLS 1.3, SHA-256)",
    pids: nginx.pids,
    fetch(file, to) {
      const [, , , , , url = ""] = nginx.fetch(file, to);
      const target = ["-d", path.dirname(to), "-o", path.basename(to)];
      return ["aria2c", ...options, `--checksum=sha-256=${sumOf(file)}`, ...target, url];
    },
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
