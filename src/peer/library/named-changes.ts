/** Names kept of what changed in one folder: if there are more, all of it is looked at. */
const NAMES_MAX = 256;

/** Stands for all entries of a folder where their names are wanted. */
export const ANY_NAME = "";

/** Entries of one folder (`folder`: its path relative to the root of `source`) that changed. */
export type ChangedFolder = { readonly source: number; readonly folder: string; readonly names: ReadonlySet<string> };

/** What the watch saw since somebody last looked. However much happens to a name, it stands here once. */
export function createNamedChanges() {
  let sources = new Map<number, Map<string, Set<string>>>();

  return {
    /** Without a name, any entry of the folder may have changed. */
    add(source: number, folder: string, name: string | undefined): void {
      const folders = sources.get(source) ?? new Map<string, Set<string>>();
      sources.set(source, folders);
      const names = folders.get(folder) ?? new Set();
      folders.set(folder, names);
      if (names.has(ANY_NAME)) return;
      if (name !== undefined && names.size < NAMES_MAX) names.add(name);
      else folders.set(folder, new Set([ANY_NAME]));
    },

    isEmpty: (): boolean => sources.size === 0,

    /** Hands over what there is, in the order in which it was seen. */
    take(): ChangedFolder[] {
      const taken = sources;
      sources = new Map();
      return [...taken].flatMap(([source, folders]) =>
        [...folders].map(([folder, names]) => ({ source, folder, names })),
      );
    },
  };
}
