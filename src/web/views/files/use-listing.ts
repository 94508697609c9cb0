import { useEffect, useState } from "preact/hooks";
import type { ListEntry } from "../../../protocol/listing.ts";
import { useStore } from "../../parts/context.ts";
import { type Listing, NO_LISTING } from "./listing.ts";

/** While a folder comes, what is there so far is shown this often, and less often the more it is. */
const SHOW_EVERY_MS = 150;

/**
 * Lists a folder of a peer, anew whenever another one is asked for; what was asked for before is called off.
 * @param most so many entries are enough: then it counts as done
 */
export function useListing(peer: string, path: string, most = Number.POSITIVE_INFINITY): Listing & { reload(): void } {
  const { api } = useStore();
  const [listing, setListing] = useState<Listing & { readonly of: string }>({ ...NO_LISTING, of: "" });
  const [tries, setTries] = useState(0);
  const of = `${peer}/${path}`;

  useEffect(() => {
    const controller = new AbortController();
    const entries: ListEntry[] = [];
    let shownAtMs = 0;
    const show = (state: Listing["state"], reason = ""): void => {
      shownAtMs = performance.now();
      setListing({ of, entries: entries.slice(), state, reason });
    };
    async function load(): Promise<void> {
      try {
        for await (const some of api.list(peer, path, controller.signal)) {
          for (const entry of some) entries.push(entry);
          if (entries.length >= most) break;
          if (performance.now() > shownAtMs + SHOW_EVERY_MS + entries.length / 200) show("loading");
        }
        show("done");
      } catch (error) {
        if (!controller.signal.aborted) show("failed", error instanceof Error ? error.message : "");
      }
    }
    void load();
    return () => controller.abort();
  }, [of, tries]);

  const now = listing.of === of ? listing : NO_LISTING;
  return { ...now, reload: () => setTries(tries + 1) };
}
