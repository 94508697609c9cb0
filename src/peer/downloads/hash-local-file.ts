import { realpath } from "node:fs/promises";
import type { Hashing } from "../../content/hashing.ts";
import type { HashLocalFile } from "./place.ts";

/** Tells what lies already where a download is to go, with the threads that hash shares. */
export function hashLocalFileWith(hashing: Hashing): HashLocalFile {
  return async (file, signal) => {
    const { content } = await hashing.hash({ root: await realpath(file), local: "" }, { signal, priority: "wanted" });
    return content;
  };
}
