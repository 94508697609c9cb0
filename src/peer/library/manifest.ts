import { accessSync, constants, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { isErrno } from "../../protocol/failures.ts";
import { parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import type { FileSystems } from "./file-systems.ts";
import { type FoundOnDisk, foundOnDisk } from "./look-at-entry.ts";

/** A line of the manifest. `path` is as written. */
export type ManifestLine = { readonly number: number; readonly name: SharePath; readonly path: string };

/** A wrong line: what is wrong with it, as the end of a sentence. The other lines still count. */
export type ManifestFault = { readonly number: number; readonly says: string };

type FoundFile = FoundOnDisk & { readonly real: string };
type ManifestFile = FoundFile & { readonly name: SharePath };

/** What the lines offer, after a look at the disk. `real` is a real path, `path` an absolute one. */
export type Manifest = {
  readonly files: readonly ManifestFile[];
  readonly folders: readonly { readonly name: SharePath; readonly path: string }[];
  /** Absolute paths of all lines, whether something is there or not. */
  readonly paths: readonly string[];
  readonly problems: readonly string[];
};

/**
 * Reads manifest text: one `NAME PATH` a line, double or single quotes around what holds blanks, `#` at the beginning
 * of a line or after a blank starts a comment. A backslash is a backslash, so Windows paths may stand as they are; only
 * within double quotes `\"` is a quote, unless it is the last one of the line (`"C:\my dir\"`).
 */
export function parseManifest(text: string): { lines: ManifestLine[]; faults: ManifestFault[] } {
  const lines: ManifestLine[] = [];
  const faults: ManifestFault[] = [];
  const numbers = new Map<SharePath, number>();
  for (const [index, line] of text
    .replace(/^\ufeff/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const number = index + 1;
    const words = splitWords(line);
    if (typeof words === "string") faults.push({ number, says: words });
    else if (words.length > 0) {
      const read = readWords(words);
      const earlier = typeof read === "string" ? undefined : numbers.get(read.name);
      if (typeof read === "string") faults.push({ number, says: read });
      else if (earlier !== undefined)
        faults.push({ number, says: `"${read.name}" is already named in line ${earlier}` });
      else {
        lines.push({ number, ...read });
        numbers.set(read.name, number);
      }
    }
  }
  return { lines, faults };
}

function readWords(words: readonly string[]): { name: SharePath; path: string } | string {
  const [rawName = "", path] = words;
  if (path === undefined || path === "") return `it names no path for "${printable(rawName)}": write NAME PATH`;
  if (words.length > 2) return "it has more than two words: put quotes around a name or path with blanks";
  if (path.includes("\0")) return "its path holds a NUL character";
  const name = parseSharePath(rawName);
  return name ? { name, path } : `"${printable(rawName)}" cannot be a name: it has to be a plain relative path`;
}

/** The words of a line without comment, or what is wrong with it. */
function splitWords(line: string): string[] | string {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== "" && !rest.startsWith("#")) {
    const quote = rest.startsWith('"') || rest.startsWith("'") ? rest.slice(0, 1) : undefined;
    const match = quote === undefined ? /^\S+/.exec(rest) : quotedWord(quote).exec(rest);
    if (!match) return `a quote (${quote}) is not closed, or something follows it without a blank`;
    words.push(quote === '"' ? unescapeQuoted(match[1] ?? "") : (match[1] ?? match[0]));
    rest = rest.slice(match[0].length).trimStart();
  }
  return words;
}

function quotedWord(quote: string): RegExp {
  return quote === '"' ? /^"((?:\\"(?=.*")|[^"])*)"(?=\s|$)/ : /^'([^']*)'(?=\s|$)/;
}

function unescapeQuoted(text: string): string {
  return text.replaceAll('\\"', '"');
}

/** Reads the manifest and looks up what its lines name. One that does not exist is empty. */
export function loadManifest(file: string, userHome: string, fileSystems: FileSystems): Manifest {
  const title = basename(file);
  const read = readText(file);
  if ("problem" in read) return { files: [], folders: [], paths: [], problems: [read.problem] };

  const { lines, faults } = parseManifest(read.text);
  const wrong = faults.map(({ number, says }) => ({ number, says }));
  const [files, folders, paths]: [Manifest["files"][number][], Manifest["folders"][number][], string[]] = [[], [], []];
  for (const { number, name, path: written } of lines) {
    const path = locate(written, dirname(file), userHome);
    paths.push(path);
    const target = look(path, fileSystems);
    if (typeof target === "string") wrong.push({ number, says: target });
    else if (target.kind === "folder") folders.push({ name, path });
    else {
      const { kind: _, ...found } = target;
      files.push({ name, ...found });
    }
  }
  const problems = wrong
    .sort((a, b) => a.number - b.number)
    .map(({ number, says }) => `${title} line ${number}: ${says}`);
  return { files, folders, paths, problems };
}

function readText(file: string): { text: string } | { problem: string } {
  try {
    return { text: readFileSync(file, "utf8") };
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return { text: "" };
    if (isErrno(error, "EACCES", "EPERM", "EISDIR", "EIO")) return { problem: `Cannot read "${file}": ${error.code}` };
    throw error;
  }
}

/** The absolute path that a line means. */
export function locate(written: string, base: string, userHome: string): string {
  if (written === "~" || /^~[/\\]/.test(written)) return join(userHome, written.slice(1));
  return isAbsolute(written) ? written : resolve(base, written);
}

type Target = { readonly kind: "folder" } | ({ readonly kind: "file" } & FoundFile);

function look(path: string, fileSystems: FileSystems): Target | string {
  try {
    const real = realpathSync.native(path);
    const stats = statSync(real, { bigint: true });
    if (stats.isDirectory()) return { kind: "folder" };
    if (!stats.isFile()) return `"${printable(path)}" is neither a file nor a folder`;
    accessSync(real, constants.R_OK);
    return { kind: "file", real, ...foundOnDisk(stats, real, fileSystems) };
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return `"${printable(path)}" does not exist`;
    if (isErrno(error, "EACCES", "EPERM", "EIO")) return `"${printable(path)}" cannot be read (${error.code})`;
    if (isErrno(error, "ELOOP", "ENAMETOOLONG")) return `"${printable(path)}" leads nowhere (${error.code})`;
    throw error;
  }
}
