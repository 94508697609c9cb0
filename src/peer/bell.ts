/** Wakes all that wait for something to change. */
export type Bell = { ring(): void; rings(): Promise<void> };

export function createBell(): Bell {
  let next = Promise.withResolvers<void>();
  return {
    ring() {
      next.resolve();
      next = Promise.withResolvers();
    },
    rings: () => next.promise,
  };
}
