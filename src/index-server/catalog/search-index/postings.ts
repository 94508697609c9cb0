import { grown, roomFor } from "./columns.ts";

/** Numbers that fit in 32 bits, in lists that only grow at their end: one list a word. */
export type Postings = ReturnType<typeof createPostings>;

/** Entries of one page of memory. No slice crosses the end of one. */
const PAGE_BITS = 16;
const PAGE = 1 << PAGE_BITS;
/**
 * A list is a chain of slices, each larger than the one before: most words are rare, a few are in every other file. The last
 * entry of a slice is the address of the next one.
 */
const SLICE_SIZES = [4, 8, 32, 128, 512, 2048, 8192] as const;
const LAST_LEVEL = SLICE_SIZES.length - 1;
/** Address of no slice. */
const NOWHERE = 0;

/**
 * All lists lie in a few large arrays: a million lists of a number each cost 16 MiB and not a million objects. (The
 * slices are those of Lucene's indexing buffer.)
 */
export function createPostings() {
  const pages: Uint32Array[] = [];
  const free: number[][] = SLICE_SIZES.map(() => []);
  let next = 1; // address 0 means nowhere
  // For each list: address of its first slice, where the next number goes, where that slice ends, its level, and its length.
  let head = new Uint32Array(1024);
  let tail = new Uint32Array(1024);
  let limit = new Uint32Array(1024);
  let level = new Uint8Array(1024);
  let count = new Uint32Array(1024);

  function allocate(ofLevel: number): number {
    const reused = free[ofLevel]?.pop();
    if (reused !== undefined) return reused;
    const size = SLICE_SIZES[ofLevel] ?? 0;
    if ((next & (PAGE - 1)) + size > PAGE) next = (next | (PAGE - 1)) + 1;
    const address = next;
    next += size;
    if (address >>> PAGE_BITS === pages.length) pages.push(new Uint32Array(PAGE));
    return address;
  }

  function write(address: number, value: number): void {
    const page = pages[address >>> PAGE_BITS];
    if (page) page[address & (PAGE - 1)] = value;
  }

  function read(address: number): number {
    return pages[address >>> PAGE_BITS]?.[address & (PAGE - 1)] ?? 0;
  }

  function makeRoom(list: number): void {
    if (list < head.length) return;
    const length = roomFor(list, head.length);
    head = grown(head, length);
    tail = grown(tail, length);
    limit = grown(limit, length);
    level = grown(level, length);
    count = grown(count, length);
  }

  /** Begins a slice at the end of a list. */
  function extend(list: number): void {
    const isFirst = head[list] === NOWHERE;
    const ofLevel = isFirst ? 0 : Math.min((level[list] ?? 0) + 1, LAST_LEVEL);
    const address = allocate(ofLevel);
    if (isFirst) head[list] = address;
    else write(limit[list] ?? 0, address);
    level[list] = ofLevel;
    tail[list] = address;
    limit[list] = address + (SLICE_SIZES[ofLevel] ?? 0) - 1;
  }

  function append(list: number, value: number): void {
    makeRoom(list);
    if (head[list] === NOWHERE || tail[list] === limit[list]) extend(list);
    write(tail[list] ?? 0, value);
    tail[list] = (tail[list] ?? 0) + 1;
    count[list] = (count[list] ?? 0) + 1;
  }

  /** Hands over a list in stretches: `page` holds it from `from` to before `to`. */
  function scan(list: number, visit: (page: Uint32Array, from: number, to: number) => void): void {
    let left = count[list] ?? 0;
    let address = head[list] ?? NOWHERE;
    for (let ofLevel = 0; left > 0; ofLevel = Math.min(ofLevel + 1, LAST_LEVEL)) {
      const room = (SLICE_SIZES[ofLevel] ?? 0) - 1;
      const held = Math.min(left, room);
      const from = address & (PAGE - 1);
      visit(pages[address >>> PAGE_BITS] as Uint32Array, from, from + held);
      left -= held;
      if (left > 0) address = read(address + room);
    }
  }

  /** Leaves of a list what is to be kept. */
  function filter(list: number, keeps: (value: number) => boolean): void {
    const kept: number[] = [];
    scan(list, (page, from, to) => {
      for (let at = from; at < to; at += 1) if (keeps(page[at] ?? 0)) kept.push(page[at] ?? 0);
    });
    if (kept.length === count[list]) return;
    release(list);
    for (const value of kept) append(list, value);
  }

  function release(list: number): void {
    let left = count[list] ?? 0;
    let address = head[list] ?? NOWHERE;
    for (let ofLevel = 0; left > 0; ofLevel = Math.min(ofLevel + 1, LAST_LEVEL)) {
      const room = (SLICE_SIZES[ofLevel] ?? 0) - 1;
      const following = left > room ? read(address + room) : NOWHERE;
      free[ofLevel]?.push(address);
      left -= room;
      address = following;
    }
    head[list] = NOWHERE;
    count[list] = 0;
  }

  return {
    append,
    scan,
    filter,
    lengthOf: (list: number): number => count[list] ?? 0,
    /** Memory held, in bytes. */
    bytes: (): number => pages.length * PAGE * 4 + head.length * 17,
  };
}
