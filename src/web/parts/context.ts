import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Store } from "../state/store.ts";

export const StoreContext = createContext<Store | undefined>(undefined);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error("The page was drawn without its store");
  return store;
}

/** Texts and formats of the page's language. */
export function useLanguage() {
  return useStore().language;
}
