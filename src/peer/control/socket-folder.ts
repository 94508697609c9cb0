import { lstat, mkdir } from "node:fs/promises";
import { platform, userInfo } from "node:os";
import path from "node:path";
import { Failure, isErrno } from "../../protocol/failures.ts";

/** Whether the address is a file (a Unix socket). Named pipes of Windows lie in no folder. */
export function isSocketFile(address: string): boolean {
  return !address.startsWith("\\\\.\\pipe\\");
}

/** Makes the folder of the socket, for its owner alone. */
export async function makeSocketFolder(address: string): Promise<void> {
  const folder = path.dirname(address);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Failure("home-unusable", `Cannot make the folder "${folder}": choose another --home`, { cause });
  }
}

/**
 * Refuses a socket folder outside the home folder that is not one's own alone: anybody can make a folder of that
 * (predictable) name in the temp folder first, and wait there for requests.
 */
export async function checkSocketFolder(address: string, home: string): Promise<void> {
  const folder = path.dirname(address);
  if (!isSocketFile(address) || folder === path.resolve(home) || platform() === "win32") return;
  try {
    const { uid, mode } = await lstat(folder);
    if (uid === userInfo().uid && (mode & 0o077) === 0) return;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  const message = `The folder "${folder}" for the control socket is open to others: remove it, or choose a --home with a shorter path`;
  throw new Failure("home-unusable", message);
}
