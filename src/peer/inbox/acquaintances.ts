import { type PeerId, parsePeerId } from "../../protocol/peer-id.ts";
import type { OfferDatabase } from "./offer-database.ts";

/** Strangers that are remembered; those whom the owner knows come besides. */
const STRANGERS_MAX = 10_000;

export type Acquaintance = { readonly id: PeerId; readonly name: string };

/** Who was met, by what name, and from whom the owner has taken something before. */
export type Acquaintances = {
  met(peer: Acquaintance, nowMs: number): void;
  /** The owner took something from this one. */
  trust(id: PeerId): void;
  isKnown(id: PeerId): boolean;
  /** Whether this one's offers are taken without asking, from now on. */
  setAlways(peer: PeerId, always: boolean): void;
  isAlways(id: PeerId): boolean;
  /** All of those. */
  always(): readonly Acquaintance[];
  /** Everybody who bears a name, or has an id that begins so. */
  called(text: string): readonly Acquaintance[];
};

export function openAcquaintances({ db, read, write }: OfferDatabase): Acquaintances {
  const sql = {
    meet: db.prepare(
      `INSERT INTO acquaintance (id, name, seen_ms) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, seen_ms = excluded.seen_ms`,
    ),
    forget: db.prepare(
      `DELETE FROM acquaintance WHERE id IN (SELECT id FROM acquaintance WHERE known = 0
         ORDER BY seen_ms DESC LIMIT -1 OFFSET ?)`,
    ),
    trust: db.prepare("UPDATE acquaintance SET known = 1 WHERE id = ?"),
    isKnown: db.prepare("SELECT 1 FROM acquaintance WHERE id = ? AND known = 1"),
    setAlways: db.prepare("UPDATE acquaintance SET always = ?1, known = max(known, ?1) WHERE id = ?2"),
    isAlways: db.prepare("SELECT 1 FROM acquaintance WHERE id = ? AND always = 1"),
    always: db.prepare("SELECT id, name FROM acquaintance WHERE always = 1 ORDER BY name, id"),
    called: db.prepare(
      "SELECT id, name FROM acquaintance WHERE name = ? OR id = ? OR (length(?) > 3 AND id GLOB ? || '*')",
    ),
  };
  let sinceForgotten = 0;

  return {
    met({ id, name }, nowMs) {
      write(() => {
        sql.meet.run(id, name, Math.round(nowMs));
        sinceForgotten += 1;
        if (sinceForgotten % 1000 === 1) sql.forget.run(STRANGERS_MAX);
      });
    },
    trust: (id) => write(() => void sql.trust.run(id)),
    isKnown: (id) => read(() => sql.isKnown.get(id) !== undefined),
    setAlways: (id, always) => write(() => void sql.setAlways.run(always ? 1 : 0, id)),
    isAlways: (id) => read(() => sql.isAlways.get(id) !== undefined),
    always: () => read(() => sql.always.all().flatMap(acquaintanceOf)),
    called(text) {
      const prefix = /^[a-z2-7]+$/.test(text) ? text : "-";
      const found = read(() => sql.called.all(text, text, prefix, prefix).flatMap(acquaintanceOf));
      // Nobody can catch what is meant for another by taking their id for a name.
      return parsePeerId(text) ? found.filter(({ id }) => id === text) : found;
    },
  };
}

function acquaintanceOf({ id, name }: Readonly<Record<string, unknown>>): readonly Acquaintance[] {
  const known = parsePeerId(String(id));
  return known ? [{ id: known, name: String(name) }] : [];
}
