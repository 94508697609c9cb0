import { mkdir } from "node:fs/promises";
import path from "node:path";
import { ownHosts } from "../../peer/network/own-hosts.ts";
import type { PeerOptions } from "../../peer/options.ts";
import type { RunningPeer } from "../../peer/peer.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import { Failure, isErrno } from "../../protocol/failures.ts";
import { formatInvite, parseInvite } from "../../protocol/invite.ts";
import { shortId } from "../../protocol/peer-id.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { aborted, startedUnless } from "../abortable.ts";
import type { Engines } from "../engines.ts";
import { describeEvent } from "../events-text.ts";
import type { Output, OutputStream } from "../output.ts";
import { EVERY_ADDRESS } from "../peer-settings.ts";
import { runShell } from "../shell/shell.ts";
import type { ShellInput } from "../shell/shell-options.ts";

export type PeerContext = {
  readonly engines: Pick<Engines, "startPeer">;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly cwd: string;
  now(): number;
  readonly input: ShellInput;
  readonly terminal: OutputStream;
  /** How people type this program. */
  readonly called: string;
  /** Whether it runs without a shell even at a terminal. */
  readonly headless: boolean;
};

/** `tukar peer`: runs until it is left, or the signal aborts. */
export async function runPeer(context: PeerContext, options: PeerOptions): Promise<undefined> {
  const { engines, output, signal, headless } = context;
  for (const { path: folder, name } of options.folders) {
    if (name === "" || folder === options.received) await makeFolder(folder);
  }
  const peer = await startedUnless(signal, () => engines.startPeer(options));
  try {
    const withShell = context.input.isTTY === true && !headless && !output.json;
    await announcePeer(context, peer, options);
    if (withShell) await runShell({ ...context, operations: peer.operations, home: options.home });
    else await Promise.all([tellEvents(peer, output, signal), aborted(signal)]);
  } finally {
    await peer.close();
  }
}

async function announcePeer(
  { output, called }: Pick<PeerContext, "output" | "called">,
  { id, name, host, port, operations, page, plain }: RunningPeer,
  options: PeerOptions,
): Promise<void> {
  if (plain)
    output.complain(
      `Anybody who reaches port ${plain.port} reads and writes messages here, without encryption and under any name: that is what --plain-port means`,
    );
  const invite = meshInvite({ id, host, port }, options);
  if (output.json) {
    const ready = { event: "ready", role: "peer", id, name, host, port, ui: page };
    return output.record({ ...ready, ...(invite && { invite }), ...(plain && { plain: plain.port }) });
  }
  const { bold } = output.colours;
  const where = host === EVERY_ADDRESS || host === "0.0.0.0" ? `port ${port}` : formatAddress({ host, port });
  const { index } = await operations.info();
  const network =
    index === null ? ", with no index server" : index.name ? `, in the network of ${printable(index.name)}` : "";
  await output.result(`Peer ${bold(printable(name))} (${shortId(id)}) on ${where}${network}`);
  if (index === null) await announceMesh({ output, called }, invite ?? formatAddress(addressOf({ host, port })));
  for (const { path: folder } of options.folders) output.talk(`Shares what lies in ${printable(folder)}`);
  if (page !== null) output.talk(`Page: ${page}`);
  output.talk(`Downloads land in ${printable(options.received)}`);
}

/** How others can link with a peer that has no index server. */
async function announceMesh(
  { output, called }: Pick<PeerContext, "output" | "called">,
  meetingPoint: string,
): Promise<void> {
  const isOpen = parseInvite(meetingPoint) === undefined;
  await output.result(
    `Others link with it by: ${called} peer --connect ${isOpen ? meetingPoint : `"${meetingPoint}"`}`,
  );
  if (isOpen)
    output.complain("This mesh is open: whoever reaches this port can link, look and fetch. --private asks for a key");
}

/** What lets others into a private mesh. */
function meshInvite(
  { id, host, port }: Pick<RunningPeer, "id" | "host" | "port">,
  { meshKey }: Pick<PeerOptions, "meshKey">,
): string | undefined {
  return meshKey && formatInvite({ address: addressOf({ host, port }), indexId: id, key: meshKey });
}

/** The likeliest address at which a peer can be reached. */
function addressOf({ host, port }: Pick<RunningPeer, "host" | "port">): Address {
  const [seen = "127.0.0.1"] = host === EVERY_ADDRESS || host === "0.0.0.0" ? ownHosts(host) : [host];
  return { host: seen, port };
}

/** Tells what happens in a peer that runs without a shell. */
async function tellEvents({ operations }: RunningPeer, output: Output, signal: AbortSignal): Promise<void> {
  let shared = "";
  try {
    for await (const event of operations.events(signal)) {
      if (output.json) await output.record(event);
      else {
        const text = describeEvent(event);
        // While files are being hashed their catalog is taken twice a second, and what people read stays the same.
        if (event.event !== "shared" || text !== shared) output.talk(text);
        if (event.event === "shared") shared = text;
      }
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
