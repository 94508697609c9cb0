import type { GetEvent } from "../../../protocol/control-api.ts";
import type { ListEntry } from "../../../protocol/listing.ts";
import type { KnownPeer } from "../../network/directory.ts";
import type { Learnt } from "./stored-download.ts";

/** Adds up what one run of a download brings. */
export type Tally = {
  /** The peer that it is asked of turned out to be this one. */
  metPeer(peer: Pick<KnownPeer, "id" | "name">): void;
  /** It is fetched from this peer now, whoever was asked for it. */
  metSource(peer: Pick<KnownPeer, "id" | "name">): void;
  /** One of the names turned out to mean this. */
  resolved(name: string, entry: Pick<ListEntry, "kind" | "path" | "size" | "content">): void;
  count(event: GetEvent): void;
  learnt(): Learnt;
  /** Whom it is fetched from. */
  from(): Pick<KnownPeer, "id" | "name"> | undefined;
  /** The failures so far, the first of each code with its message. */
  readonly failures: ReadonlyMap<string, string>;
  /** Notes that all of it failed. */
  failed(code: string, message: string): void;
  /** Whether anything arrived. */
  progressed(): boolean;
};

/**
 * @param before what earlier runs learnt; what lies there already is counted anew
 * @param isSingle whether one name was asked for, so that its content is the download's
 */
export function createTally(before: Learnt, isSingle: boolean): Tally {
  let { peerId, peerName, content, total } = before;
  let from: Pick<KnownPeer, "id" | "name"> | undefined;
  const totals = new Map<string, number>();
  /** Sizes of files that were asked for by name and not yet dealt with. */
  const sizes = new Map<string, number>();
  /** Sizes of folders. How far one is tell events of its own; those of its files come besides. */
  const folders = new Map<string, number>();
  /** Bytes of files and folders that are on their way. */
  const underWay = new Map<string, number>();
  const failures = new Map<string, string>();
  let files = 0;
  let bytes = 0;
  let arrived = false;
  /** Whether this run has counted anything; until then the last one's figures hold. */
  let counted = false;

  function isInFolder(path: string): boolean {
    for (const folder of folders.keys()) if (path.startsWith(`${folder}/`)) return true;
    return false;
  }

  function failed(code: string, message: string): void {
    if (!failures.has(code)) failures.set(code, message);
  }

  return {
    metPeer(peer) {
      peerId = peer.id;
      peerName = peer.name;
      from = peer;
    },
    metSource(peer) {
      from = peer;
    },
    resolved(name, entry) {
      totals.set(name, entry.size);
      total = [...totals.values()].reduce((sum, size) => sum + size, 0);
      (entry.kind === "file" ? sizes : folders).set(entry.path, entry.size);
      if (isSingle && entry.kind === "file" && entry.content !== null) content = entry.content;
    },
    count(event) {
      switch (event.event) {
        case "progress":
          if (isInFolder(event.path)) return;
          if (event.bytes > (underWay.get(event.path) ?? event.bytes)) arrived = true;
          underWay.set(event.path, event.bytes);
          counted = true;
          return;
        case "done":
          arrived = true;
          files += 1;
          if (event.within === undefined) bytes += event.bytes;
          break;
        case "skipped":
          files += 1;
          bytes += sizes.get(event.path) ?? 0;
          break;
        case "folder":
          if (event.failed === 0) underWay.set(event.path, folders.get(event.path) ?? 0);
          counted = true;
          return;
        case "failed":
          failed(event.code, event.message);
          break;
        case "overall":
        case "source-dropped":
        case "queued":
        case "added":
        case "parked":
        case "hashing":
        case "waiting":
          return;
        default:
          return event satisfies never;
      }
      counted = true;
      underWay.delete(event.path);
      sizes.delete(event.path);
    },
    learnt() {
      if (!counted) return { peerId, peerName, content, total, files: before.files, bytes: before.bytes };
      let onTheWay = 0;
      for (const received of underWay.values()) onTheWay += received;
      return { peerId, peerName, content, total, files, bytes: bytes + onTheWay };
    },
    from: () => from,
    failures,
    failed,
    progressed: () => arrived,
  };
}
