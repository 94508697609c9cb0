const PAGE_BITS = 12;
const PAGE = 1 << PAGE_BITS;

/** A number (not 0) for some of the whole numbers from 0 on, in pages that exist only where there are any. */
export function createSparseNumbers() {
  const pages: (Uint32Array | undefined)[] = [];
  const held: number[] = [];
  return {
    get: (key: number): number => pages[Math.floor(key / PAGE)]?.[key % PAGE] ?? 0,

    set(key: number, value: number): void {
      const at = Math.floor(key / PAGE);
      const page = pages[at] ?? new Uint32Array(PAGE);
      pages[at] = page;
      if (page[key % PAGE] === 0) held[at] = (held[at] ?? 0) + 1;
      page[key % PAGE] = value;
    },

    delete(key: number): void {
      const at = Math.floor(key / PAGE);
      const page = pages[at];
      if (!page || page[key % PAGE] === 0) return;
      page[key % PAGE] = 0;
      held[at] = (held[at] ?? 1) - 1;
      if (held[at] === 0) pages[at] = undefined;
    },
  };
}
