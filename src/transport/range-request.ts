import { PROTOCOL_VERSION, VERSION_HEADER } from "../protocol/version.ts";

/** What a range reader is asked for, and where it puts what comes. */

export type RangeRequest = {
  readonly path: string;
  readonly first: number;
  readonly last: number;
  readonly sizeBytes: number;
};

/** Where the bytes of a body go. */
export type ByteSink = {
  /** Where the next bytes are to be put: never empty, never reaching beyond the range, the same until `filled`. */
  room(): Uint8Array;
  /** The first `count` bytes of the room hold data now. False: there is no more room until `resume` is called. */
  filled(count: number): boolean;
};

/** `GET` of a range as it goes out. */
export function rangeRequestHead({ path, first, last }: RangeRequest): string {
  return `GET ${path} HTTP/1.1\r\nHost: tukar\r\n${VERSION_HEADER}: ${PROTOCOL_VERSION}\r\nRange: bytes=${first}-${last}\r\n\r\n`;
}

export function isSameRequest(a: RangeRequest, b: RangeRequest): boolean {
  return a.path === b.path && a.first === b.first && a.last === b.last;
}
