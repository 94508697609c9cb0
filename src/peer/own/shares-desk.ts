import { randomUUID } from "node:crypto";
import { readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Failure, isErrno } from "../../protocol/failures.ts";
import type { Share, Shares, SharesChange } from "../../protocol/owner-api.ts";
import { parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { locate, parseManifest } from "../library/manifest.ts";
import type { SharedFolder } from "../options.ts";
import { withLine, withoutLine } from "./manifest-text.ts";

/** Shows what is shared and why, and changes that part of it which stands in the manifest. */
export type SharesDesk = {
  shares(): Promise<Shares>;
  /** @throws Failure "no-such-file", "usage", "cannot-save" */
  change(change: SharesChange): Promise<Shares>;
};

type SharesDeskOptions = {
  readonly folders: () => readonly SharedFolder[];
  readonly manifest: string | undefined;
  readonly userHome: string;
};

export function createSharesDesk({ folders, manifest, userHome }: SharesDeskOptions): SharesDesk {
  /** One change after the other, each of what the one before it left. */
  let changing: Promise<unknown> = Promise.resolve();

  async function shares(): Promise<Shares> {
    const { lines } = parseManifest(manifest === undefined ? "" : await textOf(manifest));
    const named = lines.map(({ name, path: written }) => {
      return { from: "manifest", name, path: locate(written, path.dirname(manifest ?? ""), userHome) } as const;
    });
    const given = folders().map(({ name, path }) => ({ from: "option", name, path }) as const);
    const all = [...given, ...named].map(
      async (share): Promise<Share> => ({ ...share, kind: await kindOf(share.path) }),
    );
    return { manifest: manifest ?? null, shares: await Promise.all(all) };
  }

  async function apply(change: SharesChange): Promise<Shares> {
    if (manifest === undefined) throw new Failure("not-allowed", "This peer was started without shares");
    const text = await textOf(manifest);
    if (change.action === "remove") {
      const left = withoutLine(text, change.name);
      if (left === undefined) throw new Failure("no-such-file", `The manifest names nothing "${change.name}"`);
      await replace(manifest, left);
      return shares();
    }
    if (!path.isAbsolute(change.path)) throw new Failure("usage", "Give the whole path of a file or folder");
    const wanted = path.resolve(change.path);
    if ((await kindOf(wanted)) === "missing")
      throw new Failure("no-such-file", `There is no file or folder "${printable(wanted)}"`);
    const taken = new Set<string>((await shares()).shares.map(({ name }) => name));
    await replace(manifest, withLine(text, change.name ?? freeName(path.basename(wanted), taken), wanted));
    return shares();
  }

  return {
    shares,
    change(change) {
      const changed = changing.then(() => apply(change));
      changing = changed.catch(() => undefined);
      return changed;
    },
  };
}

/** The name itself or, if it is taken, the next free one. */
function freeName(wish: string, taken: ReadonlySet<string>): SharePath {
  const { name, ext } = path.parse(wish);
  let free = parseSharePath(wish);
  for (let count = 2; free !== undefined && taken.has(free); count++) free = parseSharePath(`${name} (${count})${ext}`);
  if (free !== undefined) return free;
  throw new Failure("usage", `"${printable(wish)}" cannot be shown to others: give it another name`);
}

async function kindOf(place: string): Promise<Share["kind"]> {
  try {
    return (await stat(place)).isDirectory() ? "folder" : "file";
  } catch (error) {
    if (isErrno(error)) return "missing";
    throw error;
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) return "";
    throw new Failure("file-unreadable", `Cannot read "${file}"`, { cause });
  }
}

/** Replaces the file whole or not at all; a link stays one. */
async function replace(link: string, text: string): Promise<void> {
  const file = await realpath(link).catch(() => link);
  const partial = `${file}.${randomUUID()}`;
  try {
    const mode = await stat(file).then(
      ({ mode }) => mode & 0o777,
      () => 0o644,
    );
    await writeFile(partial, text, { flag: "wx", mode });
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true });
    throw new Failure("cannot-save", `Cannot write "${file}"`, { cause });
  }
}
