import { createHash } from "node:crypto";
import { FLOODED_REMEMBERED } from "../../protocol/limits.ts";
import type { PlainAuthor } from "../../protocol/plain.ts";

/** Tells copies of what plain peers said to everybody: whoever is connected with several tukar peers says it to each of them. */
export type HeardCopies = {
  /** Whether this was not heard before. */
  isNews(author: Pick<PlainAuthor, "id" | "of">, text: string): boolean;
};

export function createHeardCopies(): HeardCopies {
  const heard = new Set<string>();
  return {
    isNews({ id, of }, text) {
      const key = createHash("sha256")
        .update(JSON.stringify([id, of, text]))
        .digest("base64");
      if (heard.has(key)) return false;
      heard.add(key);
      if (heard.size > FLOODED_REMEMBERED) heard.delete(heard.keys().next().value ?? key);
      return true;
    },
  };
}
