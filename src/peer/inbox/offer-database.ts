import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { HOME_FILES } from "../../protocol/home-layout.ts";
import { type DatabaseKind, explained, inTransaction, openDatabase } from "../database.ts";
import { MIGRATIONS } from "./migrations.ts";

const OFFERS: DatabaseKind = {
  migrations: MIGRATIONS,
  lost: "what is being offered is then forgotten, and who is known",
};

/** The database with all that is offered, here and to others. */
export type OfferDatabase = {
  readonly db: DatabaseSync;
  /** Does all of it or, if it throws, nothing. */
  write<T>(work: () => T): T;
  read<T>(work: () => T): T;
  close(): void;
};

/**
 * Opens it, making or updating its tables.
 * @param home absolute path of the folder it lies in
 * @throws Failure "database-newer" or "database-corrupt"
 */
export function openOfferDatabase(home: string): OfferDatabase {
  const file = path.join(home, HOME_FILES.offers);
  const db = openDatabase(file, OFFERS);
  const read = <T>(work: () => T): T => explained(file, OFFERS, work);
  return { db, read, write: (work) => read(() => inTransaction(db, work)), close: () => db.close() };
}

/** The rows that a person named by number, or all. */
export function numbersOf(which: "all" | readonly number[], all: () => readonly number[]): readonly number[] {
  return which === "all" ? all() : which;
}
