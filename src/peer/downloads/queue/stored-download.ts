import type { SQLOutputValue } from "node:sqlite";
import { z } from "zod";
import { GetRequest } from "../../../protocol/control-api.ts";
import { type Download, PRIORITIES, type Priority, ReceivedFile } from "../../../protocol/downloads.ts";
import { ContentIdSchema, PeerIdSchema } from "../../../protocol/schema.ts";

/** What has become of a wish. The words are those of the table `download`. */
export type DownloadState =
  | { readonly state: "queued" | "running" | "paused" }
  | { readonly state: "waiting"; readonly code: string; readonly reason: string; readonly dueAtMs: number }
  | { readonly state: "done" | "cancelled"; readonly endedAtMs: number }
  | { readonly state: "failed"; readonly code: string; readonly reason: string; readonly endedAtMs: number };

/** A wish to download as it was made. */
export type Wish = {
  readonly request: GetRequest;
  /** Absolute path of the folder where it lands if the request names none. */
  readonly received: string;
  /** The network in which it was made. */
  readonly network: string;
};

/** What is learnt about a wish while it is fetched. */
export type Learnt = {
  readonly peerId: z.infer<typeof PeerIdSchema> | null;
  readonly peerName: string | null;
  readonly content: z.infer<typeof ContentIdSchema> | null;
  readonly files: number;
  readonly bytes: number;
  readonly total: number | null;
};

export type StoredDownload = Wish &
  Learnt & {
    readonly id: number;
    /** Nobody waited for it when it was made. */
    readonly detached: boolean;
    readonly priority: Priority;
    readonly claimedBy: string | null;
    readonly tries: number;
    readonly addedAtMs: number;
    readonly now: DownloadState;
  };

type Row = Readonly<Record<string, SQLOutputValue>>;

const PRIORITY_NUMBERS: Readonly<Record<Priority, number>> = { high: 1, normal: 0, low: -1 };

export function priorityNumber(priority: Priority): number {
  return PRIORITY_NUMBERS[priority];
}

const DownloadRow = z.object({
  id: z.int(),
  network: z.string(),
  request: z.string().transform((json) => GetRequest.parse(JSON.parse(json))),
  peer_id: PeerIdSchema.nullable(),
  peer_name: z.string().nullable(),
  received: z.string(),
  detached: z.int(),
  priority: z.int(),
  state: z.enum(["queued", "running", "waiting", "paused", "done", "failed", "cancelled"]),
  claimed_by: z.string().nullable(),
  code: z.string().nullable(),
  reason: z.string().nullable(),
  due_at_ms: z.int().nullable(),
  tries: z.int(),
  files: z.int(),
  bytes: z.int(),
  total: z.int().nullable(),
  content: ContentIdSchema.nullable(),
  added_at_ms: z.int(),
  ended_at_ms: z.int().nullable(),
});

export function downloadOf(raw: Row): StoredDownload {
  const row = DownloadRow.parse(raw);
  return {
    id: row.id,
    request: row.request,
    received: row.received,
    network: row.network,
    peerId: row.peer_id,
    peerName: row.peer_name,
    content: row.content,
    files: row.files,
    bytes: row.bytes,
    total: row.total,
    detached: row.detached === 1,
    priority: PRIORITIES.find((priority) => PRIORITY_NUMBERS[priority] === row.priority) ?? "normal",
    claimedBy: row.claimed_by,
    tries: row.tries,
    addedAtMs: row.added_at_ms,
    now: stateOf(row),
  };
}

function stateOf(row: z.infer<typeof DownloadRow>): DownloadState {
  const { state, code, reason, due_at_ms: dueAtMs, ended_at_ms: endedAtMs } = row;
  switch (state) {
    case "queued":
    case "running":
    case "paused":
      return { state };
    case "waiting":
      return { state, code: code ?? "internal", reason: reason ?? "", dueAtMs: dueAtMs ?? 0 };
    case "done":
    case "cancelled":
      return { state, endedAtMs: endedAtMs ?? 0 };
    case "failed":
      return { state, code: code ?? "internal", reason: reason ?? "", endedAtMs: endedAtMs ?? 0 };
    default:
      return state satisfies never;
  }
}

/** The columns that a state fills. */
export function stateColumns(now: DownloadState) {
  return {
    state: now.state,
    code: "code" in now ? now.code : null,
    reason: "reason" in now ? now.reason : null,
    due_at_ms: "dueAtMs" in now ? Math.round(now.dueAtMs) : null,
    ended_at_ms: "endedAtMs" in now ? Math.round(now.endedAtMs) : null,
  };
}

/** How its owner sees a download. The rate is that of the process that runs it. */
export function downloadShown(
  download: StoredDownload,
  rate: { readonly bytesPerSecond: number; readonly secondsLeft: number } | undefined,
): Download {
  const { id, request, received, priority, files, bytes, total, content, addedAtMs, now } = download;
  const peerName = download.peerName ?? request.peer;
  const common = {
    id,
    peer: peerName === null ? null : { id: download.peerId, name: peerName },
    name: request.names[0] ?? "",
    names: request.names.length,
    recursive: request.recursive,
    output: request.output,
    received,
    priority,
    files,
    bytes,
    total,
    content,
    added: addedAtMs,
  };
  switch (now.state) {
    case "queued":
    case "paused":
      return { ...common, state: now.state };
    case "running":
      return { ...common, state: "running", rate: rate?.bytesPerSecond ?? null, left: rate?.secondsLeft ?? null };
    case "waiting":
      return { ...common, state: "waiting", code: now.code, reason: now.reason, retry: now.dueAtMs };
    case "done":
    case "cancelled":
      return { ...common, state: now.state, ended: now.endedAtMs };
    case "failed":
      return { ...common, state: "failed", code: now.code, reason: now.reason, ended: now.endedAtMs };
    default:
      return now satisfies never;
  }
}

export function receivedOf(row: Row): ReceivedFile {
  const { peer_id: id, peer_name: name, at_ms: at, path, saved, bytes, content, sources, seconds, download } = row;
  const peer = name === null ? null : { id, name };
  return ReceivedFile.parse({ at, path, saved, bytes, content, peer, sources, seconds, download });
}
