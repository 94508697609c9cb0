import { existsSync } from "node:fs";
import path from "node:path";
import fastGlob from "fast-glob";

/**
 * The files that arguments name, patterns such as `*.iso` replaced by what matches, in order of names. Unix shells do so
 * before a command starts, those of Windows and quoted arguments do not. A file that exists is meant as it stands,
 * whatever is in its name, and a pattern without a match stays, to be reported as a file that does not exist.
 */
export async function expandPatterns(args: readonly string[], cwd: string): Promise<readonly string[]> {
  const files = await Promise.all(args.map((arg) => expand(arg, cwd)));
  return files.flat();
}

async function expand(arg: string, cwd: string): Promise<readonly string[]> {
  const pattern = path.sep === "\\" ? arg.replaceAll("\\", "/") : arg;
  if (!fastGlob.isDynamicPattern(pattern) || existsSync(path.resolve(cwd, arg))) return [arg];
  const matches = await fastGlob(pattern, { cwd, onlyFiles: true });
  return matches.length > 0 ? matches.toSorted() : [arg];
}
