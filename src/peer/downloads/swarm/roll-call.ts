/** Who of the sources of a download is worked with, who may come back, and who has been given up. */
export type RollCall = {
  /** Whether this source would be something new. */
  mayCome(id: string): boolean;
  /** It comes; false if it is here already, not wanted, or there are enough. */
  present(id: string): boolean;
  lost(id: string, mayReturn: boolean): void;
  back(id: string): void;
  /** How many are worked with. */
  active(): number;
};

export type RollCallOptions = {
  readonly most: number;
  /** Those that sent wrong bytes. */
  readonly wrong: ReadonlySet<string>;
};

export function createRollCall({ most, wrong }: RollCallOptions): RollCall {
  const states = new Map<string, "active" | "away" | "gone">();

  function active(): number {
    let count = 0;
    for (const state of states.values()) if (state === "active") count += 1;
    return count;
  }

  function mayCome(id: string): boolean {
    const state = states.get(id);
    return !wrong.has(id) && (state === undefined || state === "gone") && active() < most;
  }

  return {
    active,
    mayCome,
    present(id) {
      if (!mayCome(id)) return false;
      states.set(id, "active");
      return true;
    },
    lost: (id, mayReturn) => void states.set(id, mayReturn ? "away" : "gone"),
    back: (id) => void states.set(id, "active"),
  };
}
