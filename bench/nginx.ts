import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Contender, freePort, run } from "./contender.ts";
import { isInstalled } from "./measure.ts";

/** Until it listens. */
const RETRIES = ["--retry", "5", "--retry-connrefused"];

/** A folder served by nginx over TLS, and fetched by curl. */
export type Nginx = Contender & { url(file: string): string };

/** Where nginx runs, if not on loopback. */
type Elsewhere = {
  readonly host: string;
  readonly port: number;
  /** A command as it is run there. */
  command(args: readonly string[]): readonly string[];
};

export async function startNginx(workDir: string, folder: string, where?: Elsewhere): Promise<Nginx | undefined> {
  if (!isInstalled("nginx") || !isInstalled("curl") || !isInstalled("openssl")) return undefined;
  const { host, port, command } = where ?? { host: "127.0.0.1", port: await freePort(), command: (args) => args };
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
     http { access_log off; sendfile on; tcp_nopush on; server { listen ${host}:${port} ssl; root ${folder};
     ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; } }`,
  );
  const [program = "", ...args] = command(["nginx", "-c", configuration, "-p", workDir]);
  const server = run(program, args);
  const url = (file: string): string => `https://${host}:${port}/${encodeURI(file)}`;
  const [look = "", ...options] = command(["curl", "-s", "-k", "-o", "/dev/null", ...RETRIES, url("")]);
  execFileSync(look, options);
  return {
    url,
    name: "nginx -> curl (TLS 1.3, unverified)",
    pids: [server.child.pid ?? 0],
    fetch: (file, to) => ["curl", "-sS", "-k", "-o", to, url(file)],
    // curl lists nothing: it is told what there is, and does not pay for finding out.
    fetchFolder(below, to) {
      const list = path.join(workDir, "curl-list");
      const files = readdirSync(path.join(folder, below), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
      const lines = files.map((file) => `url = "${url(file)}"\noutput = "${path.join(to, file)}"\n`);
      writeFileSync(list, lines.join(""));
      return ["curl", "-sS", "-k", "--parallel", "--parallel-max", "16", "--create-dirs", "-K", list];
    },
    close: server.close,
  };
}

/** The one of the public tools here that verifies what it fetched, by SHA-256; from the same nginx. */
export function aria2From(nginx: Nginx, folder: string): Contender | undefined {
  if (!isInstalled("aria2c")) return undefined;
  const sums = new Map<string, string>();
  const sumOf = (file: string): string => {
    const known =
      sums.get(file) ?? execFileSync("sha256sum", [path.join(folder, file)], { encoding: "utf8" }).slice(0, 64);
    sums.set(file, known);
    return known;
  };
  return {
    name: "nginx -> aria2 (TLS 1.3, SHA-256)",
    pids: nginx.pids,
    fetch: (file, to) => aria2([nginx.url(file)], to, [`--checksum=sha-256=${sumOf(file)}`]),
    close: async () => undefined,
  };
}

/** The command that fetches one file from all of these at once. */
export function aria2(urls: readonly string[], to: string, more: readonly string[] = []): readonly string[] {
  const options = ["-q", "--check-certificate=false", "--file-allocation=none", "--allow-overwrite=true"];
  return ["aria2c", ...options, ...more, "-d", path.dirname(to), "-o", path.basename(to), ...urls];
}
