import { createHash } from "node:crypto";
import { platform, tmpdir } from "node:os";
import path from "node:path";

/** What the address depends on beside the home folder. */
export type AddressSurroundings = { readonly platform: NodeJS.Platform; readonly tempFolder: string };

/** Longest path of a Unix socket that every system takes: `sun_path` holds 104 bytes on macOS, 108 on Linux. */
const SOCKET_PATH_MAX_BYTES = 100;
const HASH_CHARACTERS = 24;

/**
 * Where the peer of a home folder listens for its owner: `control.sock` in there; if that path is too long for a
 * socket, one in a folder of its own under the temp folder; on Windows a named pipe.
 */
export function controlAddress(
  home: string,
  surroundings: AddressSurroundings = { platform: platform(), tempFolder: tmpdir() },
): string {
  if (surroundings.platform === "win32") return `\\\\.\\pipe\\tukar-${shortHash(home.toLowerCase())}`;
  const inHome = path.posix.join(home, "control.sock");
  if (Buffer.byteLength(inHome) <= SOCKET_PATH_MAX_BYTES) return inHome;
  return path.posix.join(surroundings.tempFolder, `tukar-${shortHash(home)}`, "control.sock");
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_CHARACTERS);
}
