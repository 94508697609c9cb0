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

/** Calls with each number of the set, in ascending order. */
export function forEachBit(bitmap: Bitmap, visit: (number: number) => void): void {
  for (let at = 0; at < bitmap.length; at += 1) {
    for (let bits = bitmap[at] as number; bits !== 0; bits &= bits - 1)
      visit(at * BITS + 31 - Math.clz32(bits & -bits));
  }
}
