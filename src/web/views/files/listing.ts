import type { ListEntry } from "../../../protocol/listing.ts";
import { baseName } from "../../show.ts";

export type SortKey = "name" | "size" | "modified" | "type";
export type Sorting = { readonly by: SortKey; readonly down: boolean };

/** One folder of a peer as it comes: entries in the order of their names, folders among them. */
export type Listing = {
  readonly entries: readonly ListEntry[];
  readonly state: "loading" | "done" | "failed";
  readonly reason: string;
};

export const NO_LISTING: Listing = { entries: [], state: "loading", reason: "" };

/** The places of the entries that the filter lets through, in order, folders first. */
export function arranged(entries: readonly ListEntry[], filter: string, sorting: Sorting): Uint32Array {
  const wanted = filter.trim().toLowerCase();
  const folders: number[] = [];
  const files: number[] = [];
  for (const [at, { kind, path }] of entries.entries()) {
    if (wanted !== "" && !baseName(path).toLowerCase().includes(wanted)) continue;
    (kind === "folder" ? folders : files).push(at);
  }
  return Uint32Array.from([sorted(entries, folders, sorting), sorted(entries, files, sorting)].flat());
}

function sorted(entries: readonly ListEntry[], places: readonly number[], { by, down }: Sorting): readonly number[] {
  // They come in the order of names: to sort half a million of those would be for nothing.
  if (by === "name") return down ? places.toReversed() : places;
  const keys = places.map((at) => entries[at]?.[by] ?? "");
  const order = Uint32Array.from(places.keys()).sort((a, b) => compare(keys[a], keys[b]) || a - b);
  const ordered = Array.from(order, (at) => places[at] ?? 0);
  return down ? ordered.toReversed() : ordered;
}

function compare(a: string | number = "", b: string | number = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
