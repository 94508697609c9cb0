import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { PeerOptions } from "../../peer/options.ts";
import type { RunningPeer } from "../../peer/peer.ts";
import { formatAddress } from "../../protocol/address.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { shortId } from "../../protocol/peer-id.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { aborted, startedUnless } from "../abortable.ts";
import type { Engines } from "../engines.ts";
import { describeEvent } from "../events-text.ts";
import type { Output, OutputStream } from "../output.ts";
import { runShell, type ShellInput } from "../shell/shell.ts";

export type PeerContext = {
  readonly engines: Pick<Engines, "startPeer">;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly cwd: string;
  now(): number;
  readonly input: ShellInput;
  readonly terminal: OutputStream;
  /** Whether it runs without a shell even at a terminal. */
  readonly headless: boolean;
};

/** `tukar peer`: runs until it is left, or the signal aborts. */
export async function runPeer(context: PeerContext, options: PeerOptions): Promise<undefined> {
  const { engines, output, signal, headless } = context;
  for (const { path: folder, name } of options.folders) if (name === "") await makeFolder(folder);
  const peer = await startedUnless(signal, () => engines.startPeer(options));
  const left = new AbortController();
  try {
    const withShell = context.input.isTTY === true && !headless && !output.json;
    const telling = withShell ? undefined : tellEvents(peer, output, AbortSignal.any([signal, left.signal]));
    await announcePeer(output, peer, options);
    if (withShell) await runShell({ ...context, operations: peer.operations, home: options.home });
    else await aborted(signal);
    left.abort();
    await telling;
  } finally {
    left.abort();
    await peer.close();
  }
}

async function announcePeer(
  output: Output,
  { id, name, host, port }: RunningPeer,
  options: PeerOptions,
): Promise<void> {
  if (output.json) return output.record({ event: "ready", role: "peer", id, name, host, port, ui: null });
  const { bold } = output.colours;
  await output.result(`Peer ${bold(printable(name))} (${shortId(id)}) at ${formatAddress({ host, port })}`);
  for (const { path: folder } of options.folders) output.talk(`Shares what lies in ${printable(folder)}`);
  output.talk(`Downloads land in ${printable(options.received)}`);
}

/** `shared` may be known before anybody can be told that the peer is ready, so listening begins before that is told. */
async function tellEvents({ operations }: RunningPeer, output: Output, signal: AbortSignal): Promise<void> {
  try {
    for await (const event of operations.events(signal)) {
      if (output.json) await output.record(event);
      else output.talk(describeEvent(event));
    }
  } catch (error) {
    if (!signal.aborted) output.problem(error);
  }
}

/** The folder that people put files into to share them. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    if (!isErrno(cause)) throw cause;
    const message = `Cannot make "${folder}" (${cause.code}): choose another folder than "${path.dirname(folder)}" with --dir`;
    throw new Failure("file-unreadable", message, { cause });
  }
}
