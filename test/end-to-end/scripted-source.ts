import type { TestContext } from "node:test";
import { createIdentity } from "../../src/transport/identity.ts";
import { type Script, type ScriptedPeer, startScriptedPeer } from "../peer/downloads/scripted-peer.ts";
import { createFakeLibrary } from "../peer/network/fake-library.ts";
import { peerIn } from "./real-member.ts";

/**
 * A peer "liar" in a network of real processes that lives in the test: it offers "liars.bin", which others find by its
 * content, and gives it as the script says.
 */
export async function scriptedSource(
  t: TestContext,
  invite: string,
  bytes: Buffer,
  script: Script,
): Promise<ScriptedPeer> {
  const identity = await createIdentity();
  const source = await startScriptedPeer(identity, bytes, script, "liars.bin");
  t.after(() => source[Symbol.asyncDispose]());
  const library = createFakeLibrary();
  const { shared } = await peerIn(t, invite, library, { identity, name: "liar", port: source.known.port });
  library.offer(source.entry.path, { size: bytes.length, content: source.entry.content });
  library.scanned();
  await shared.find(({ files }) => files === 1);
  return source;
}
