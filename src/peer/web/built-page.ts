import { readdir, readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import path from "node:path";
import { isErrno } from "../../protocol/failures.ts";
import { mediaTypeOf } from "../../protocol/media-type.ts";
import { answerPlainPage } from "./plain-pages.ts";

type PageFile = { readonly bytes: Buffer; readonly type: string };

/** Files whose name tells their content never change. */
const FOREVER = "private, max-age=31536000, immutable";
const TEXT = /^(?:text\/|application\/(?:json|javascript|manifest))/;

/** The built page, all of it in memory: what is not in its folder when it is read is not there. */
export type BuiltPage = { answer(response: ServerResponse, pathname: string): Promise<boolean> };

/** @param folder where the build puts the page; it is read when it is first asked for, and until it is there */
export function openBuiltPage(folder: string): BuiltPage {
  let files: Promise<ReadonlyMap<string, PageFile>> | undefined;

  async function read(): Promise<ReadonlyMap<string, PageFile>> {
    files ??= readFiles(folder);
    const found = await files;
    if (!found.has("/")) files = undefined;
    return found;
  }

  return {
    async answer(response, pathname) {
      const found = await read();
      const file = found.get(pathname);
      if (!file && pathname === "/") {
        answerPlainPage(response, "not-built");
        return true;
      }
      if (!file) return false;
      if (pathname.startsWith("/assets/")) response.setHeader("cache-control", FOREVER);
      response.writeHead(200, { "content-type": file.type, "content-length": file.bytes.length }).end(file.bytes);
      return true;
    },
  };
}

async function readFiles(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const name of await namesIn(folder)) {
    const at = `/${name.split(path.sep).join("/")}`;
    const type = mediaTypeOf(name);
    const file = {
      bytes: await readFile(path.join(folder, name)),
      type: TEXT.test(type) ? `${type}; charset=utf-8` : type,
    };
    files.set(at === "/index.html" ? "/" : at, file);
  }
  return files;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}
