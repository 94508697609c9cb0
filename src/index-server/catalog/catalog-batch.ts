import type { CatalogChange, CatalogState } from "../../protocol/catalog.ts";
import { baseName, parentPath } from "../../protocol/share-path.ts";
import type { CatalogRows } from "./catalog-rows.ts";
import type { SearchIndex } from "./search-index/search-index.ts";

/** What a change does to the search index, once it is written. */
type IndexChange = (index: SearchIndex) => void;
type Offered = Extract<CatalogChange, { kind: "offered" }>;
type Deleted = Extract<CatalogChange, { kind: "deleted" }>;

/** Changes of one catalog, in one transaction: what was `put` and `drop`ped, and what comes of it. */
export function createCatalogBatch(rows: CatalogRows, catalog: number, before: CatalogState) {
  const state = { ...before };
  const later: IndexChange[] = [];
  /** Most changes are in the folder of the one before. */
  const folders = new Map<string, number>();

  function folderAt(path: string): number | undefined {
    const folder = folders.get(path) ?? rows.folderAt(catalog, path);
    if (folder !== undefined) folders.set(path, folder);
    return folder;
  }

  function addFolder(path: string): number {
    const folder = rows.addFolder(catalog, path);
    folders.set(path, folder);
    return folder;
  }

  return {
    put({ generation, path, size, modified, content: id }: Offered): void {
      state.generation = generation;
      const [folderPath, name] = [parentPath(path), baseName(path)];
      const folder = folderAt(folderPath) ?? addFolder(folderPath);
      const content = id === null ? 0 : rows.contentRow(id);
      const known = rows.fileAt(folder, name);
      state.bytes += size - (known?.size ?? 0);
      if (known) {
        rows.changeFile(known.id, size, modified, content);
        later.push((index) => index.change(known.id, { size, content }));
        return;
      }
      state.files += 1;
      const file = rows.addFile(folder, name, size, modified, content);
      later.push((index) => index.add({ file, peer: catalog, folderPath, name, size, content }));
    },

    drop({ generation, path }: Deleted): void {
      state.generation = generation;
      const folderPath = parentPath(path);
      const folder = folderAt(folderPath);
      const known = folder === undefined ? undefined : rows.fileAt(folder, baseName(path));
      if (folder === undefined || !known) return;
      rows.dropFile(known.id);
      state.files -= 1;
      state.bytes -= known.size;
      later.push((index) => index.remove(known.id));
      if (!rows.isFolderEmpty(folder)) return;
      rows.dropFolder(folder);
      folders.delete(folderPath);
    },

    /** What is held after all that. */
    state: (): CatalogState => ({ ...state }),
    later,
  };
}
