import { type Signal, signal } from "@preact/signals";
import type { Api } from "../api/api.ts";
import { ApiFailure } from "../api/lines.ts";
import { putFile } from "../api/put-file.ts";
import type { Texts } from "../texts/en.ts";

/** A file to be sent, and where it lies among what was dropped. */
export type DroppedFile = { readonly path: string; readonly file: File };

/** What is being read from this browser before it can be offered. */
type Gathering = {
  readonly id: number;
  readonly to: string;
  readonly bytes: number;
  readonly total: number;
  cancel(): void;
};

export type Outgoing = {
  readonly gathering: Signal<readonly Gathering[]>;
  /** Offers files to a peer, or with `null` to everybody. */
  send(peer: string | null, to: string, files: readonly DroppedFile[]): Promise<void>;
};

type Surroundings = {
  attempt(work: () => Promise<unknown>): Promise<boolean>;
  refresh(): Promise<void>;
  readonly texts: Texts;
};

const FILES_MAX = 10_000;
const AT_ONCE = 3;

export function createOutgoing(api: Api, { attempt, refresh, texts }: Surroundings): Outgoing {
  const gathering = signal<readonly Gathering[]>([]);
  let last = 0;

  function update(id: number, bytes: number): void {
    gathering.value = gathering.value.map((one) => (one.id === id ? { ...one, bytes } : one));
  }

  async function gather(drop: string, files: readonly DroppedFile[], id: number, signal: AbortSignal): Promise<void> {
    const ofEach = files.map(() => 0);
    const waiting = files.entries();
    async function work(): Promise<void> {
      for (const [at, { path, file }] of waiting) {
        const onProgress = (bytes: number): void => {
          ofEach[at] = bytes;
          update(
            id,
            ofEach.reduce((sum, some) => sum + some, 0),
          );
        };
        await putFile(drop, path, file, { onProgress, signal });
        onProgress(file.size);
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async function offer(drop: string, peer: string | null): Promise<void> {
    for await (const events of api.sendDrop(drop, peer)) {
      for (const event of events) if (event.event === "failed") throw new ApiFailure(event.code, event.message);
      // From the first that is about a send it stands in the list, and goes on without this page.
      if (events.some(({ event }) => event !== "hashing")) break;
    }
    await refresh();
  }

  return {
    gathering,
    async send(peer, to, files) {
      if (files.length === 0) return;
      last += 1;
      const id = last;
      const controller = new AbortController();
      const total = files.reduce((sum, { file }) => sum + file.size, 0);
      gathering.value = [...gathering.value, { id, to, bytes: 0, total, cancel: () => controller.abort() }];
      await attempt(async () => {
        if (files.length > FILES_MAX) throw new ApiFailure("too-many", texts.tooManyFiles);
        const { drop } = await api.openDrop();
        try {
          await gather(drop, withFreeNames(files), id, controller.signal);
          await offer(drop, peer);
        } catch (error) {
          controller.abort();
          await api.discardDrop(drop).catch(() => undefined);
          throw error;
        }
      });
      gathering.value = gathering.value.filter((one) => one.id !== id);
    },
  };
}

/** Files picked in different folders may bear the same name: the second gets ` (2)`. */
function withFreeNames(files: readonly DroppedFile[]): readonly DroppedFile[] {
  const taken = new Set<string>();
  return files.map(({ path, file }) => {
    const [, stem = path, extension = ""] = /^(.*?)(\.[^./]*)?$/.exec(path) ?? [];
    let free = path;
    for (let count = 2; taken.has(free); count++) free = `${stem} (${count})${extension}`;
    taken.add(free);
    return { path: free, file };
  });
}
