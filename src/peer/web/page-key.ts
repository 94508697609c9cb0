import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import path from "node:path";
import { z } from "zod";
import { HOME_FILES } from "../../protocol/home-layout.ts";
import { jsonOrUndefined } from "../../protocol/json.ts";
import { PortSchema } from "../../protocol/schema.ts";
import { readPrivateFile, writePrivateFile } from "../../transport/private-file.ts";

const TOKEN_BYTES = 32;
const Kept = z.object({ token: z.string().regex(/^[\w-]{43}$/), port: PortSchema.nullable() });

/** What is kept of the page from one start to the next, so that a bookmark goes on to work. */
export type PageKey = {
  readonly token: string;
  /** Where the page was the last time. */
  readonly port: number | null;
  remember(port: number): Promise<void>;
};

/** @throws Failure "home-unusable" */
export async function loadPageKey(home: string): Promise<PageKey> {
  const file = path.join(home, HOME_FILES.page);
  const kept = Kept.safeParse(jsonOrUndefined((await readPrivateFile(file)) ?? ""));
  const { token, port } = kept.data ?? { token: randomBytes(TOKEN_BYTES).toString("base64url"), port: null };
  return {
    token,
    port,
    async remember(now) {
      if (now !== port) await writePrivateFile(file, `${JSON.stringify({ token, port: now })}\n`);
    },
  };
}

/** What a browser shows in its cookie: it changes with the password, so that a new one logs everybody out. */
export function sessionOf(token: string, password: string | undefined): string {
  return createHmac("sha256", token)
    .update(`tukar page ${password ?? ""}`)
    .digest("base64url");
}

/** In a time that does not tell how much of it is right. */
export function isSame(given: string | undefined, secret: string): boolean {
  return given !== undefined && timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
