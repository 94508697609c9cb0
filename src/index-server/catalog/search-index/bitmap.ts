/** Sets of numbers from 0 on, one bit each: a million of them lie in 125 KB, so they stay in the processor's cache. */
export type Bitmap = Uint32Array<ArrayBuffer>;

const BITS = 32;

/** An empty set with room for the numbers below `end`. */
export function createBitmap(end: number): Bitmap {
  return new Uint32Array(Math.ceil(end / BITS));
}

export function setBit(bitmap: Bitmap, number: number): void {
  bitmap[number >>> 5] = (bitmap[number >>> 5] as number) | (1 << (number & 31));
}

export function clearBit(bitmap: Bitmap, number: number): void {
  bitmap[number >>> 5] = (bitmap[number >>> 5] as number) & ~(1 << (number & 31));
}

export function hasBit(bitmap: Bitmap, number: number): boolean {
  return (((bitmap[number >>> 5] as number) >>> (number & 31)) & 1) === 1;
}

/** Leaves in `bitmap` what is in `other` too. */
export function keepCommon(bitmap: Bitmap, other: Bitmap): void {
  for (let at = 0; at < bitmap.length; at += 1) bitmap[at] = (bitmap[at] as number) & (other[at] as number);
}

/** Leaves in `bitmap` what is not in `other`. */
export function dropCommon(bitmap: Bitmap, other: Bitmap): void {
  for (let at = 0; at < bitmap.length; at += 1) bitmap[at] = (bitmap[at] as number) & ~(other[at] as number);
}

/** Puts into `bitmap` what two sets have in common, and tells how many that are. */
export function intersect(bitmap: Bitmap, one: Bitmap, other: Bitmap): number {
  let count = 0;
  for (let at = 0; at < bitmap.length; at += 1) {
    const bits = (one[at] as number) & (other[at] as number);
    bitmap[at] = bits;
    if (bits !== 0) count += countBits(bits);
  }
  return count;
}

/** Moves what is in `other` too from `from` to `bitmap`, which then holds nothing else, and tells how many that are. */
export function moveCommon(bitmap: Bitmap, from: Bitmap, other: Bitmap): number {
  let count = 0;
  for (let at = 0; at < bitmap.length; at += 1) {
    const held = from[at] as number;
    const bits = held & (other[at] as number);
    bitmap[at] = bits;
    if (bits === 0) continue;
    from[at] = held ^ bits;
    count += countBits(bits);
  }
  return count;
}

/**
 * Leaves in `bitmap` what is in `other` too and not yet in `known`, and adds it there; what is in `hidden` goes after that. Tells
 * how many are left.
 */
export function keepNew(bitmap: Bitmap, other: Bitmap, known: Bitmap, hidden: Bitmap | undefined): number {
  let count = 0;
  for (let at = 0; at < bitmap.length; at += 1) {
    const held = known[at] as number;
    const bits = (bitmap[at] as number) & (other[at] as number) & ~held;
    bitmap[at] = bits;
    if (bits === 0) continue;
    known[at] = held | bits;
    const left = hidden === undefined ? bits : bits & ~(hidden[at] as number);
    bitmap[at] = left;
    count += countBits(left);
  }
  return count;
}

/** Adds what is in `other`. */
export function addAll(bitmap: Bitmap, other: Bitmap): void {
  for (let at = 0; at < bitmap.length; at += 1) bitmap[at] = (bitmap[at] as number) | (other[at] as number);
}

/** Bits that are set in 32. (Hacker's Delight, 2nd ed., figure 5-2.) */
function countBits(bits: number): number {
  let sum = bits - ((bits >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Calls with each number of the set, in ascending order. */
export function forEachBit(bitmap: Bitmap, visit: (number: number) => void): void {
  for (let at = 0; at < bitmap.length; at += 1) {
    for (let bits = bitmap[at] as number; bits !== 0; bits &= bits - 1)
      visit(at * BITS + 31 - Math.clz32(bits & -bits));
  }
}
