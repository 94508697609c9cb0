import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { z } from "zod";
import { verifyBlockList } from "../content/blake3.ts";
import { type BlockList, blockListLength } from "../protocol/block-list.ts";
import { type ContentId, parseContentId } from "../protocol/content-id.ts";
import { Failure } from "../protocol/failures.ts";
import { type FollowQuery, HoldingsLine } from "../protocol/holdings.ts";
import { type AmbiguousLine, type HashingLine, ListEntry, ResolveLine } from "../protocol/listing.ts";
import { type Offer, type OfferId, OfferStanding } from "../protocol/offers.ts";
import type { QueuePlace } from "../protocol/queue-place.ts";
import {
  About,
  blockListUrl,
  contentUrl,
  downloadUrl,
  filesUrl,
  haveUrl,
  offerUrl,
  PEER_ROUTES,
  resolveUrl,
  withdrawUrl,
} from "../protocol/routes.ts";
import type { SharePath } from "../protocol/share-path.ts";
import { printable } from "../protocol/untrusted-text.ts";
import type { DialTarget } from "../transport/dial.ts";
import type { Identity } from "../transport/identity.ts";
import { paced } from "../transport/paced.ts";
import { type RateLimit, type RateUser, UNLIMITED } from "../transport/rate-limit.ts";
import { type OpenAnswer, openRemote } from "../transport/remote.ts";
import type { Body } from "../transport/send-body.ts";
import type { KnownPeer } from "./network/directory.ts";

type FileAnswer = Pick<OpenAnswer, "status" | "headers"> & { readonly body: AsyncIterable<Buffer> };

/** Another peer, seen from here. Everything rejects with a `Failure`. */
export type RemotePeer = {
  /** What it is called in messages to people. */
  readonly called: string;
  readonly target: DialTarget;
  /** What bytes of files from here come within. */
  readonly downLimit: RateLimit;
  /** The address that answered, once one has. */
  host(): string | undefined;
  about(signal: AbortSignal): Promise<About>;
  list(path: SharePath | "", recursive: boolean, signal: AbortSignal): AsyncIterable<ListEntry>;
  /** Every folder and file below a folder, each folder before what it holds, empty ones too. */
  tree(path: SharePath | "", signal: AbortSignal): AsyncIterable<ListEntry>;
  /**
   * The one file (hashed by now) or folder that a name means; of a content id a file with exactly that content.
   * `onHashing` hears how far the peer is with hashing it.
   */
  resolve(name: string, onHashing: (line: HashingLine) => void, signal: AbortSignal): Promise<ListEntry>;
  /** The block list of a content of `sizeBytes`, checked against its id. */
  blockList(content: ContentId, sizeBytes: number, signal: AbortSignal): Promise<BlockList>;
  /**
   * What this peer has of a content, and who else fetches it there, as it becomes known.
   * @param self how blocks can be had from here, if they can
   */
  follow(content: ContentId, self: FollowQuery | undefined, signal: AbortSignal): AsyncIterable<HoldingsLine>;
  /** A small content whole, unverified. `onQueued` hears while it has to wait for others. */
  bytes(
    content: ContentId,
    sizeBytes: number,
    signal: AbortSignal,
    onQueued?: (place: QueuePlace) => void,
  ): Promise<Buffer>;
  /** A shared file, or with a Range header a part of it, unverified, within `downLimit`. A range that is not there is 416. */
  file(path: SharePath, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<FileAnswer>;
  /** Offers files to this peer. */
  offer(offer: Offer, signal: AbortSignal): Promise<OfferStanding>;
  /** How an offer made to this peer stands, as that changes. */
  followOffer(id: OfferId, signal: AbortSignal): AsyncIterable<OfferStanding>;
  withdrawOffer(id: OfferId, signal: AbortSignal): Promise<void>;
  close(): void;
};

/** Nothing is dialled before the first request. Bytes of files come within `downLimit`, all else comes as it comes. */
export function openRemotePeer(peer: KnownPeer, identity: Identity, downLimit: RateLimit = UNLIMITED): RemotePeer {
  const called = `"${printable(peer.name)}"`;
  const target = { hosts: peer.hosts, port: peer.port, expectedId: peer.id };
  let answered: string | undefined;
  const routes = openRemote({
    target,
    identity,
    called,
    onDialled: ({ host }) => {
      answered = host;
    },
  });

  return {
    called,
    target,
    downLimit,
    host: () => answered,
    about: (signal) => routes.json(PEER_ROUTES.about, About, signal),
    list: (path, recursive, signal) => routes.lines(filesUrl(path, recursive), ListEntry, signal),
    tree: (path, signal) => routes.lines(filesUrl(path, true, true), ListEntry, signal),
    async resolve(name, onHashing, signal) {
      const wanted = parseContentId(name);
      let found: ListEntry | undefined;
      // Read to its end, since a connection can only be used again after that: otherwise each file would cost a handshake.
      for await (const line of routes.lines(resolveUrl(name), ResolveLine, signal)) {
        if (found) throw new Failure("bad-message", `${called} says more about "${printable(name)}" than was asked`);
        if (line.kind === "ambiguous") throw ambiguous(name, line);
        if (line.kind === "hashing") onHashing(line);
        else if (wanted === undefined || line.content === wanted) found = line;
        else throw new Failure("content-mismatch", `${called} shares other content as "${line.path}"`);
      }
      if (found) return found;
      throw new Failure("bad-message", `${called} does not say what "${printable(name)}" is`);
    },
    async blockList(content, sizeBytes, signal) {
      const bytes = await routes.bytes(blockListUrl(content), blockListLength(sizeBytes), signal);
      const list = verifyBlockList(content, bytes);
      if (list?.sizeBytes === sizeBytes) return list;
      throw new Failure("content-mismatch", `${called} sent a block list that does not belong to the file`);
    },
    follow: (content, self, signal) => routes.lines(haveUrl(content, self), HoldingsLine, signal),
    async bytes(content, sizeBytes, signal, onQueued) {
      const bytes = await routes.bytes(contentUrl(content), sizeBytes, signal, {
        share: downLimit.user(peer.id),
        onQueued,
      });
      if (bytes.length === sizeBytes) return bytes;
      throw new Failure("bad-message", `${called} sent ${bytes.length} bytes of a file of ${sizeBytes}`);
    },
    async file(path, headers, signal) {
      const { body, ...head } = await routes.open(downloadUrl(path), headers, [200, 206, 416], signal);
      return { ...head, body: within(downLimit.user(peer.id), body, signal) };
    },
    offer: (offer, signal) => routes.post(PEER_ROUTES.offers, jsonBody(offer), OfferStanding, signal),
    followOffer: (id, signal) => routes.lines(offerUrl(id), OfferStanding, signal),
    async withdrawOffer(id, signal) {
      await routes.post(withdrawUrl(id), jsonBody({}), z.object({}), signal);
    },
    close: () => routes.close(),
  };
}

async function* within(share: RateUser, body: IncomingMessage, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* paced(body, share, signal);
  } finally {
    share.close();
    body.destroy();
  }
}

function jsonBody(value: unknown): Body {
  return { type: "application/json", chunks: () => [JSON.stringify(value)] };
}

function ambiguous(name: string, { paths }: AmbiguousLine): Failure {
  const shown = paths.map((path) => `"${path}"`).join(", ");
  return new Failure("ambiguous", `"${printable(name)}" means several files, use a path: ${shown}`);
}
