import type { DatabaseSync } from "node:sqlite";
import type { PeerId } from "../protocol/peer-id.ts";
import { openDatabase } from "./database.ts";
import type { AssignmentStore } from "./ports.ts";

/** Append only: a released entry is never edited. `user_version` counts how many have run. */
const MIGRATIONS = [
  `-- The port that a peer had, the last time that it was here from this host address.
   CREATE TABLE assignment (
     peer_id    TEXT    NOT NULL,
     host       TEXT    NOT NULL,
     port       INTEGER NOT NULL,
     used_at_ms INTEGER NOT NULL,
     PRIMARY KEY (peer_id, host)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX assignment_by_host ON assignment (host, used_at_ms);`,
];

export type IndexStore = AssignmentStore & { close(): void };

/** Assignments kept for one host; older ones are forgotten, now and then. */
const REMEMBERED_PER_HOST = 4096;
const FORGET_EVERY = 256;

/**
 * Opens what the index server remembers between runs. `:memory:` remembers nothing.
 * @throws Failure "database-newer", "database-corrupt", "home-in-use", "home-unusable" or "disk-full"
 */
export function openIndexStore(file: string): IndexStore {
  return openDatabase(file, MIGRATIONS, prepareStore);
}

function prepareStore(db: DatabaseSync): IndexStore {
  const portOf = db.prepare("SELECT port FROM assignment WHERE peer_id = ? AND host = ?");
  const portsOn = db.prepare("SELECT port FROM assignment WHERE host = ? ORDER BY used_at_ms");
  const remember = db.prepare(
    `INSERT INTO assignment (peer_id, host, port, used_at_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (peer_id, host) DO UPDATE SET port = excluded.port, used_at_ms = excluded.used_at_ms`,
  );
  const forget = db.prepare(
    `DELETE FROM assignment WHERE host = ?1 AND used_at_ms <
     (SELECT used_at_ms FROM assignment WHERE host = ?1 ORDER BY used_at_ms DESC LIMIT 1 OFFSET ?2)`,
  );
  let untilForgetting = FORGET_EVERY;
  return {
    portOf: (id: PeerId, host) => portOf.get(id, host)?.["port"] as number | undefined,
    portsOn: (host) => portsOn.all(host).map((row) => row["port"] as number),
    remember(id, host, port, usedAtMs) {
      remember.run(id, host, port, usedAtMs);
      untilForgetting -= 1;
      if (untilForgetting > 0) return;
      untilForgetting = FORGET_EVERY;
      forget.run(host, REMEMBERED_PER_HOST - 1);
    },
    close: () => db.close(),
  };
}
