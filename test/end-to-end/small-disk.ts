import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";

/** A file system of a few MiB in memory. */
export type SmallDisk = AsyncDisposable & { grow(size: string): void };

/** Mounts one on a folder, which root can on Linux; nothing comes back where that fails. */
export async function mountSmallDisk(folder: string, size: string): Promise<SmallDisk | undefined> {
  await mkdir(folder, { recursive: true });
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  try {
    run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder);
  } catch {
    return undefined;
  }
  return {
    grow: (to) => run("mount", "-o", `remount,size=${to}`, folder),
    [Symbol.asyncDispose]: async () => run("umount", folder),
  };
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: "ignore" });
}
