import { useState } from "preact/hooks";

export type RowSelection = {
  readonly active: number;
  readonly count: number;
  has(at: number): boolean;
  /** The rows in order. */
  chosen(): readonly number[];
  clear(): void;
  click(at: number, event: MouseEvent): void;
  /** Whether the key meant something here. */
  key(event: KeyboardEvent, page: number): boolean;
};

/** Which of `count` rows are chosen, by mouse and by keys as in any list of files. `of`: with another list it begins anew. */
export function useSelection(count: number, of: string): RowSelection {
  const [state, setState] = useState({ of, active: 0, from: 0, chosen: new Set<number>() });
  const now = state.of === of ? state : { of, active: 0, from: 0, chosen: new Set<number>() };

  function range(to: number): Set<number> {
    const chosen = new Set<number>();
    for (let at = Math.min(now.from, to); at <= Math.max(now.from, to); at++) chosen.add(at);
    return chosen;
  }
  function toggled(at: number): Set<number> {
    const chosen = new Set(now.chosen);
    if (!chosen.delete(at)) chosen.add(at);
    return chosen;
  }
  function move(to: number, extend: boolean): void {
    const active = Math.max(0, Math.min(count - 1, to));
    if (extend) setState({ ...now, active, chosen: range(active) });
    else setState({ ...now, active, from: active });
  }

  return {
    active: Math.min(now.active, Math.max(0, count - 1)),
    count: now.chosen.size,
    has: (at) => now.chosen.has(at),
    chosen: () => [...now.chosen].filter((at) => at < count).toSorted((a, b) => a - b),
    clear: () => setState({ ...now, chosen: new Set() }),
    click(at, { shiftKey }) {
      if (shiftKey) setState({ ...now, active: at, chosen: range(at) });
      else setState({ of, active: at, from: at, chosen: toggled(at) });
    },
    key(event, page) {
      const steps: Readonly<Record<string, number>> = {
        ArrowDown: 1,
        ArrowUp: -1,
        PageDown: page,
        PageUp: -page,
        Home: -count,
        End: count,
      };
      const step = steps[event.key];
      if (step !== undefined) move(now.active + step, event.shiftKey);
      else if (event.key === " ") setState({ ...now, from: now.active, chosen: toggled(now.active) });
      else if (event.key === "Escape" && now.chosen.size > 0) setState({ ...now, chosen: new Set() });
      else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey))
        setState({ ...now, chosen: new Set(Array.from({ length: count }, (_, at) => at)) });
      else return false;
      event.preventDefault();
      return true;
    },
  };
}
