import { useEffect, useState } from "preact/hooks";
import type { FoundFile } from "../../../protocol/control-api.ts";
import type { SearchQuery } from "../../api/api.ts";
import { useStore } from "../../parts/context.ts";

export type SearchResult = {
  readonly hits: readonly FoundFile[];
  readonly state: "idle" | "searching" | "done" | "failed";
  readonly more: boolean;
  readonly suggestion: string | null;
  readonly reason: string;
};

const DEBOUNCE_MS = 180;
const NOTHING: SearchResult = { hits: [], state: "idle", more: false, suggestion: null, reason: "" };

/** Searches a moment after the query stopped changing. A search that is no longer wanted is called off. */
export function useSearch(query: SearchQuery): SearchResult {
  const { api } = useStore();
  const [result, setResult] = useState(NOTHING);
  const asked = JSON.stringify(query);

  useEffect(() => {
    if (query.q.trim() === "") return setResult(NOTHING);
    const controller = new AbortController();
    setResult((before) => ({ ...before, state: "searching" }));
    const timer = setTimeout(async () => {
      const hits: FoundFile[] = [];
      try {
        for await (const some of api.search(query, controller.signal)) {
          for (const found of some) {
            if (found.kind === "hit") hits.push(found);
            else setResult({ hits, state: "done", more: found.more, suggestion: found.suggestion, reason: "" });
          }
        }
      } catch (error) {
        if (controller.signal.aborted) return;
        setResult({ ...NOTHING, state: "failed", reason: error instanceof Error ? error.message : "" });
      }
    }, DEBOUNCE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [asked]);

  return result;
}
