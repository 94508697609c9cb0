import type { SharePath } from "../../protocol/share-path.ts";
import type { RemotePeers } from "../remote-peers.ts";
import type { RemoteBytes, WantedBytes } from "./own-operations.ts";

/** Headers that may pass from a peer to the owner's browser, and what they may look like. All else is decided here. */
const PASSED: Readonly<Record<string, RegExp>> = {
  "content-length": /^\d{1,16}$/,
  "content-range": /^bytes (?:\d{1,16}-\d{1,16}|\*)\/\d{1,16}$/,
  "accept-ranges": /^bytes$/,
  etag: /^"[\w-]{1,128}"$/,
  "last-modified": /^[\w ,:]{1,40}$/,
};

/** Bytes of a file that another peer shares, while they come. Nobody verifies them: for looking, not for keeping. */
export async function openRemoteContent(
  { find }: Pick<RemotePeers, "find">,
  { peer, path, range, ifRange }: WantedBytes & { readonly path: SharePath },
  signal: AbortSignal,
): Promise<RemoteBytes> {
  const { remote } = await find(peer, signal);
  const asked = { ...(range !== undefined && { range }), ...(ifRange !== undefined && { "if-range": ifRange }) };
  const { status, headers, body } = await remote.file(path, asked, signal);
  const passed = Object.entries(PASSED).flatMap(([name, shape]) => {
    const value = headers[name];
    return typeof value === "string" && shape.test(value) ? [[name, value] as const] : [];
  });
  return { status, headers: Object.fromEntries(passed), body };
}
