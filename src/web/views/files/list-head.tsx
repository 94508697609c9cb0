import { useLanguage } from "../../parts/context.ts";
import { Icon } from "../../parts/icon.tsx";
import type { Sorting, SortKey } from "./listing.ts";

const KEYS = ["name", "size", "modified", "type"] as const satisfies readonly SortKey[];

/** The titles of the columns, by which the list is sorted. */
export function ListHead({ sorting, onSort }: { readonly sorting: Sorting; readonly onSort: (to: Sorting) => void }) {
  const { texts } = useLanguage();
  return (
    <div class="list-head">
      <span class="tick-space" />
      {KEYS.map((by) => (
        <button
          key={by}
          type="button"
          class={`cell-${by === "modified" ? "time" : by}`}
          aria-pressed={sorting.by === by}
          onClick={() => onSort({ by, down: sorting.by === by && !sorting.down })}
        >
          {texts[by]}
          {sorting.by === by && (
            <span class={sorting.down ? "sorted down" : "sorted"}>
              <Icon name="up" />
            </span>
          )}
        </button>
      ))}
    </div>
  );
}
