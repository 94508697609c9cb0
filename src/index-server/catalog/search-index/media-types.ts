import { mediaTypeOfExtension } from "../../../protocol/media-type.ts";

/** Numbers of extensions and types kept; what comes beyond counts as unknown. */
const MOST = 60_000;

/** Media types, numbered. */
export function createMediaTypes() {
  const byExtension = new Map<string, number>();
  const numbers = new Map<string, number>([[mediaTypeOfExtension(""), 0]]);
  return {
    numberFor(extension: string): number {
      const known = byExtension.get(extension);
      if (known !== undefined) return known;
      const type = mediaTypeOfExtension(extension);
      const number = numbers.get(type) ?? numbers.size;
      numbers.set(type, number);
      if (byExtension.size < MOST) byExtension.set(extension, number);
      return number;
    },
    /** By number: 1 for the types that are wanted. */
    matching(isWanted: (type: string) => boolean): Uint8Array {
      return Uint8Array.from(numbers.keys(), (type) => (isWanted(type) ? 1 : 0));
    },
  };
}
