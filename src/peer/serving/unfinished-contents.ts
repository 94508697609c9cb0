import { closeSync, fstatSync, open } from "node:fs";
import { promisify } from "node:util";
import { type FileState, fileStateOf } from "../../content/file-state.ts";
import { type BlockList, encodeBlockList } from "../../protocol/block-list.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import type { Clock } from "../../transport/clock.ts";
import type { Followers } from "./followers.ts";

/** How long a content that has come whole stays here for those who were fetching it from here, at most. */
const LINGERS_MS = 60_000;
/** How often to look whether they still are. */
const LOOKS_EVERY_MS = 1_000;

/** What of a content is here while it is being fetched. */
export type UnfinishedContent = {
  readonly sizeBytes: number;
  has(index: number): boolean;
  verified(): Iterable<number>;
  blockList(): Buffer;
  /** The file, open until `release`. `state`: once nothing more arrives, how it has to stay. */
  use(): { readonly fd: number; readonly state: FileState | undefined; release(): void };
};

/** The contents that this peer is fetching: what is verified of them can be had here already. */
export type UnfinishedContents = {
  /**
   * Begins to offer what is verified of a content.
   * @param file the part file; it is opened, so it may be renamed
   */
  offer(content: ContentId, list: BlockList, file: string, verified: Iterable<number>): Promise<OfferedContent>;
  find(content: ContentId): UnfinishedContent | undefined;
  /** Ends all offers. */
  close(): void;
};

type OfferedContent = {
  /** A block is verified and written. */
  added(index: number): void;
  /** All is here: it stays a while for those who listen. */
  whole(): void;
  /** The end, if it is not whole by now. */
  withdraw(): void;
};

export function createUnfinishedContents(followers: Followers, clock: Clock): UnfinishedContents {
  const offers = new Map<ContentId, UnfinishedContent>();
  const endings = new Set<() => void>();

  async function offer(
    content: ContentId,
    list: BlockList,
    file: string,
    verified: Iterable<number>,
  ): Promise<OfferedContent> {
    // Two downloads of one content into different folders: one of them is enough to serve it.
    if (offers.has(content)) return { added: () => undefined, whole: () => undefined, withdraw: () => undefined };
    const fd = await promisify(open)(file, "r");
    const blocks = new Set(verified);
    let users = 1;
    let state: FileState | undefined;
    let callOff = (): void => undefined;

    function release(): void {
      users -= 1;
      if (users === 0) closeSync(fd);
    }
    function end(): void {
      if (!endings.delete(end)) return;
      callOff();
      offers.delete(content);
      release();
    }
    function linger(untilMs: number): void {
      if (followers.count(content) === 0 || clock.now() >= untilMs) return end();
      callOff = clock.after(LOOKS_EVERY_MS, () => linger(untilMs));
    }

    endings.add(end);
    offers.set(content, {
      sizeBytes: list.sizeBytes,
      has: (index) => blocks.has(index),
      verified: () => blocks,
      blockList: () => encodeBlockList(list),
      use() {
        users += 1;
        return { fd, state, release };
      },
    });
    return {
      added(index) {
        blocks.add(index);
        followers.added(content, index);
      },
      whole() {
        state = fileStateOf(fstatSync(fd, { bigint: true }));
        linger(clock.now() + LINGERS_MS);
      },
      withdraw: () => state === undefined && end(),
    };
  }

  return {
    offer,
    find: (content) => offers.get(content),
    close() {
      for (const end of [...endings]) end();
    },
  };
}
