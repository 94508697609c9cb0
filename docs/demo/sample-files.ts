import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

const MIB = 1024 * 1024;

/** What bob shares: share paths and bytes, with the names that people really give their files. */
export function bobsFiles(): ReadonlyMap<string, Uint8Array> {
  return new Map([
    ["read me first.txt", Buffer.from("Hello! The film is from the lake, the slides are for Monday.\n")],
    ["summer at the lake.mkv", randomBytes(24 * MIB + 12_345)],
    ["talks/slides, final (2).pdf", randomBytes(3 * MIB)],
    ["talks/🎈 party plan.txt", Buffer.from("Cake at three. Balloons: forty.\n")],
    ["talks/übung.txt", Buffer.from("Grüße aus Bandung\n")],
  ]);
}

/** What ada shares. */
export function adasFiles(): ReadonlyMap<string, Uint8Array> {
  return new Map([["shopping list.txt", Buffer.from("rice, chillies, tofu\n")]]);
}

export async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of files) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}
