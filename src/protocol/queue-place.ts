/** Where one stands that waits for an upload slot: place 1 is the next one of `waiting`, 0 waits for answers to itself. */
export type QueuePlace = { readonly position: number; readonly waiting: number };

/** Header of the interim answers (102) to a request that waits. */
export const QUEUE_HEADER = "tukar-queue";

/** `3/7` */
export function formatQueuePlace({ position, waiting }: QueuePlace): string {
  return `${position}/${waiting}`;
}

export function parseQueuePlace(text: string | undefined): QueuePlace | undefined {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text ?? "");
  if (!match) return undefined;
  const [position, waiting] = [Number(match[1]), Number(match[2])];
  return position <= waiting ? { position, waiting } : undefined;
}
