import { closeSync } from "node:fs";
import { type FileState, isSameState } from "../../content/file-state.ts";
import { openContained } from "../../content/open-contained.ts";
import { encodeBlockList } from "../../protocol/block-list.ts";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import type { OfferedFile, OfferedItem } from "../../protocol/offers.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { HashedParcel } from "./gather-parcel.ts";

type OfferedHere = {
  readonly entry: OfferedFile;
  /** Absolute, and free of links when it was hashed. */
  readonly place: string;
  readonly state: FileState;
  readonly list: Buffer;
  /** The sends that offer it, and to whom. */
  readonly sends: Map<number, PeerId>;
};

/** A file that is open for reading. Whoever gets it closes `fd`. */
type OpenedOffer = {
  readonly fd: number;
  readonly state: FileState;
  readonly content: ContentId;
  readonly entry: OfferedFile;
};

/** What is offered to others, each content to those alone to whom it is offered. */
export type OfferedContents = {
  /** A send of an earlier time goes on soon: until it is held, who asks is told to come again. */
  expect(send: number, receiver: PeerId, items: readonly OfferedItem[]): void;
  hold(send: number, receiver: PeerId, parcel: HashedParcel): void;
  release(send: number): void;
  /** @throws Failure "no-such-file" if it is not offered to this one, or not there any more; "too-many" if it is expected */
  open(id: ContentId, receiver: PeerId | undefined): OpenedOffer;
  /** The encoded block list of what is offered to this one. @throws Failure "too-many" if it is expected */
  blockList(id: ContentId, receiver: PeerId | undefined): Buffer | undefined;
};

export function createOfferedContents(): OfferedContents {
  const offered = new Map<ContentId, OfferedHere>();
  const held = new Map<number, readonly ContentId[]>();
  const expected = new Map<number, { readonly receiver: PeerId; readonly contents: ReadonlySet<ContentId> }>();

  function find(id: ContentId, receiver: PeerId | undefined): OfferedHere | undefined {
    const here = offered.get(id);
    if (receiver === undefined) return undefined;
    for (const peer of here?.sends.values() ?? []) if (peer === receiver) return here;
    for (const send of expected.values()) {
      if (send.receiver === receiver && send.contents.has(id)) throw new Failure("too-many", "It is being made ready");
    }
    return undefined;
  }

  return {
    expect(send, receiver, items) {
      const contents = items.flatMap((item) => (item.kind === "file" ? [item.content] : []));
      expected.set(send, { receiver, contents: new Set(contents) });
    },
    hold(send, receiver, { parcel, hashed }) {
      expected.delete(send);
      const contents: ContentId[] = [];
      for (const [at, entry] of parcel.items.entries()) {
        const file = hashed[at];
        if (entry.kind === "folder" || !file) continue;
        const before = offered.get(file.content);
        // One place will do for each content, as long as that is what it was.
        const { state, list, content } = file;
        const here = before ?? {
          entry,
          place: parcel.places[at] ?? "",
          state,
          list: encodeBlockList(list),
          sends: new Map(),
        };
        here.sends.set(send, receiver);
        offered.set(content, here);
        contents.push(content);
      }
      held.set(send, contents);
    },
    release(send) {
      for (const content of held.get(send) ?? []) {
        const here = offered.get(content);
        here?.sends.delete(send);
        if (here?.sends.size === 0) offered.delete(content);
      }
      held.delete(send);
      expected.delete(send);
    },
    open(id, receiver) {
      const here = find(id, receiver);
      if (!here) throw new Failure("no-such-file", `"${id}" is not offered to whoever asks for it`);
      const { fd, state } = openContained(here.place, "");
      if (isSameState(state, here.state)) return { fd, state, content: id, entry: here.entry };
      closeSync(fd);
      throw new Failure("no-such-file", `"${here.place}" is not what it was when it was offered`);
    },
    blockList: (id, receiver) => find(id, receiver)?.list,
  };
}
