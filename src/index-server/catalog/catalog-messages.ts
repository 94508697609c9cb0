import type { FailureCode } from "../../protocol/failures.ts";
import type { CatalogStore } from "./catalog-store.ts";

/** What the main thread and the catalog's thread tell each other: each call of the store, and what came of it. */

export type CatalogCall = {
  [K in keyof CatalogStore]: { readonly id: number; readonly call: K; readonly args: Parameters<CatalogStore[K]> };
}[keyof CatalogStore];

export type FromCatalogThread =
  | { readonly kind: "opened" }
  | { readonly kind: "not-opened"; readonly code: FailureCode; readonly message: string }
  | { readonly kind: "done"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly code: FailureCode; readonly message: string };
