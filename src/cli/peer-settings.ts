import path from "node:path";
import { QUEUE_LIMITS, type QueueLimits } from "../peer/downloads/queue/choose-next.ts";
import type { PeerOptions, SharedFolder, VisitorOptions } from "../peer/options.ts";
import type { PageOptions } from "../peer/web/page-server.ts";
import type { KeptSettings } from "../protocol/owner-api.ts";
import { isShareableName } from "../protocol/share-path.ts";
import {
  readAcceptRule,
  readCount,
  readHost,
  readMeetingPoint,
  readName,
  readPort,
  readRate,
  readUploadSlots,
  wrongValue,
} from "./flag-values.ts";
import { given, type Settings, type Surroundings } from "./settings.ts";

/** The options of `tukar peer`, as they stand on the command line. */
export type PeerFlags = {
  readonly name?: string;
  readonly share?: readonly string[];
  readonly manifest?: string;
  readonly received?: string;
  readonly host?: string;
  readonly port?: string;
  readonly guests?: boolean;
  readonly connect?: readonly string[];
  readonly accept?: string;
  readonly reshare?: boolean;
  readonly maxDownloads?: string;
  readonly maxPerPeer?: string;
  readonly upLimit?: string;
  readonly downLimit?: string;
  readonly uploadSlots?: string;
  readonly discovery?: boolean;
  /** Of `--no-ui`. */
  readonly ui?: boolean;
  readonly uiPort?: string;
  readonly uiHost?: string;
  readonly uiPasswordFile?: string;
  readonly plainPort?: string;
};

type Decided<T> = Omit<T, "network" | "log" | "meshKey">;

export const EVERY_ADDRESS = "::";

const NOTHING_KEPT: KeptSettings = {
  name: null,
  accept: null,
  guests: null,
  limits: { up: null, down: null, slots: null },
};

/** @param kept what was changed in the settings of earlier runs: it counts where the command line says nothing */
export function resolvePeer(
  flags: PeerFlags,
  settings: Settings,
  around: Surroundings,
  kept: KeptSettings = NOTHING_KEPT,
): Decided<PeerOptions> {
  const { name, manifest, received, accept, host, port, upLimit, downLimit, uploadSlots, plainPort } = flags;
  const landing = received === undefined ? path.join(settings.dir, "received") : path.resolve(around.cwd, received);
  return {
    home: settings.home,
    name: name === undefined ? (kept.name ?? settings.machineName) : readName("--name", name),
    received: landing,
    folders: [
      { path: path.join(settings.dir, "shared"), name: "" },
      ...namedFolders(flags.share ?? [], around),
      ...(flags.reshare ? [{ path: landing, name: path.basename(landing) }] : []),
    ],
    manifest: manifest === undefined ? path.join(settings.dir, "shares.txt") : manifestFile(manifest, around),
    host: host === undefined ? EVERY_ADDRESS : readHost("--host", host),
    port: port === undefined ? undefined : readPort("--port", port),
    ...(plainPort !== undefined && { plainPort: readPort("--plain-port", plainPort) }),
    guests: flags.guests ?? kept.guests ?? false,
    meeting: (flags.connect ?? []).map((value) => readMeetingPoint("--connect", value)),
    shares: true,
    accept: accept === undefined ? (kept.accept ?? "ask") : readAcceptRule("--accept", accept),
    downloads: resolveQueue(flags),
    limits: {
      up: upLimit === undefined ? kept.limits.up : readRate("--up-limit", upLimit),
      down: downLimit === undefined ? kept.limits.down : readRate("--down-limit", downLimit),
      slots: uploadSlots === undefined ? kept.limits.slots : readUploadSlots("--upload-slots", uploadSlots),
    },
    page: resolvePage(flags, around),
  };
}

/** The page is on this machine alone, unless a password keeps it; that comes in no option, since everybody may see those. */
function resolvePage({ ui, uiPort, uiHost, uiPasswordFile }: PeerFlags, around: Surroundings): PageOptions | undefined {
  const port = uiPort === undefined ? undefined : readPort("--ui-port", uiPort);
  const host = uiHost === undefined ? "127.0.0.1" : readHost("--ui-host", uiHost);
  const password =
    uiPasswordFile === undefined ? given(around.env["TUKAR_UI_PASSWORD"]) : passwordIn(uiPasswordFile, around);
  if (uiHost !== undefined && password === undefined)
    throw wrongValue(
      "--ui-host",
      uiHost,
      "others could open the page: give a --ui-password-file, or TUKAR_UI_PASSWORD",
    );
  return ui === false ? undefined : { host, port, password };
}

function passwordIn(value: string, { cwd, readText }: Surroundings): string {
  const password = readText(path.resolve(cwd, value))?.trim();
  if (password) return password;
  throw wrongValue("--ui-password-file", value, "give a file that you can read, with the password in it");
}

function resolveQueue({ maxDownloads, maxPerPeer }: PeerFlags): QueueLimits {
  return {
    running: maxDownloads === undefined ? QUEUE_LIMITS.running : readCount("--max-downloads", maxDownloads),
    perPeer: maxPerPeer === undefined ? QUEUE_LIMITS.perPeer : readCount("--max-per-peer", maxPerPeer),
  };
}

/** What a command on its own needs. */
export function resolveVisitor(settings: Settings): Decided<VisitorOptions> {
  return { home: settings.home, name: settings.machineName, received: path.join(settings.dir, "received") };
}

function manifestFile(value: string, { cwd, exists }: Surroundings): string {
  const file = path.resolve(cwd, value);
  if (exists(file)) return file;
  throw wrongValue("--manifest", value, "there is no such file");
}

/** The folders that `--share` names, each under its own name, a second one of a name with ` (2)`. */
function namedFolders(values: readonly string[], { cwd, isFolder }: Surroundings): readonly SharedFolder[] {
  const taken = new Set<string>();
  return values.map((value) => {
    const folder = path.resolve(cwd, value);
    if (!isFolder(folder)) throw wrongValue("--share", value, "give a folder that exists");
    const own = path.basename(folder).normalize("NFC");
    if (!isShareableName(own)) throw wrongValue("--share", value, "the folder's name cannot be shown to others");
    let name = own;
    for (let count = 2; taken.has(name); count++) name = `${own} (${count})`;
    taken.add(name);
    return { path: folder, name };
  });
}
