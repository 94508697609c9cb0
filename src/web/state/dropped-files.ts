import type { DroppedFile } from "./outgoing.ts";

/** The files that were dropped, those in folders too. Has to be called while the event is being handled. */
export async function droppedFiles(data: DataTransfer): Promise<readonly DroppedFile[]> {
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return chosenFiles(data.files);
  const files: DroppedFile[] = [];
  for (const entry of entries) await collect(entry, "", files);
  return files;
}

/** The files that were chosen; of a folder with their paths in it. */
export function chosenFiles(list: FileList): readonly DroppedFile[] {
  return [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

async function collect(entry: FileSystemEntry, below: string, files: DroppedFile[]): Promise<void> {
  const path = `${below}${entry.name}`;
  if (entry instanceof FileSystemFileEntry) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    files.push({ path, file });
  } else if (entry instanceof FileSystemDirectoryEntry) {
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const child of some) await collect(child, `${path}/`, files);
    }
  }
}
