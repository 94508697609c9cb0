import type { IncomingMessage } from "node:http";
import type {
  ContentRequest,
  Drop,
  DropFile,
  Dropped,
  DropSend,
  Invitation,
  Places,
  Serving,
  Settings,
  SettingsChange,
  Shares,
  SharesChange,
  TrustChange,
} from "../../protocol/owner-api.ts";
import type { SendEvent } from "../../protocol/sending.ts";

/** Bytes of somebody's file as they come: an answer to a request with or without a range. */
export type RemoteBytes = {
  /** 200, 206 or 416. */
  readonly status: number;
  /** Length, range, tag and time, as far as the other side tells them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Buffer>;
};

export type WantedBytes = Pick<ContentRequest, "peer" | "path"> & {
  /** Headers of the request, as they came. */
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
};

/** What the owner asks of the peer that runs, and of nothing else: a command on its own has none of it. */
export interface OwnOperations {
  invite(): Promise<Invitation>;
  /** What a peer shares under a path, unverified, while it comes. @throws Failure "no-such-peer", "no-such-file", ... */
  content(wanted: WantedBytes, signal: AbortSignal): Promise<RemoteBytes>;
  serving(): readonly Serving[];
  shares(): Promise<Shares>;
  /** Changes the manifest, which is watched: what is added is shared a moment later. */
  changeShares(change: SharesChange): Promise<Shares>;
  /** Throws "no-such-file" or "file-unreadable". */
  places(path: string | undefined): Promise<Places>;
  settings(): Promise<Settings>;
  changeSettings(change: SettingsChange): Promise<Settings>;
  trust(change: TrustChange): Promise<Settings>;
  openDrop(): Promise<Drop>;
  /** Takes the body as a file of the drop. @throws Failure "too-many", "too-large", "disk-full", "cannot-save" */
  dropFile(file: DropFile, body: IncomingMessage): Promise<Dropped>;
  sendDrop(send: DropSend, signal: AbortSignal): AsyncIterable<SendEvent>;
  discardDrop(drop: Drop): Promise<void>;
}
