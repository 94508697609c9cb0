import type { OwnOperations } from "../../../src/peer/own/own-operations.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { streamOf } from "../control/fake-operations.ts";

const SETTINGS = {
  name: peerNameFrom("alice"),
  accept: "ask",
  guests: false,
  received: "/r",
  limits: { up: 0, down: 0, slots: 0 },
  next: { name: peerNameFrom("alice"), guests: false },
  trusted: [],
} as const;

/** What only the owner asks, of a peer that has nothing; whatever a test wants otherwise goes into `changes`. */
export function fakeOwn(changes: Partial<OwnOperations> = {}): OwnOperations {
  return {
    invite: async () => ({ invite: null, others: [] }),
    content: async () => ({ status: 200, headers: { "content-length": "0" }, body: streamOf<Buffer>([]) }),
    serving: () => [],
    shares: async () => ({ manifest: null, shares: [] }),
    changeShares: async () => ({ manifest: null, shares: [] }),
    places: async () => ({ path: "/", parent: null, entries: [] }),
    settings: async () => ({ ...SETTINGS, trusted: [] }),
    changeSettings: async () => ({ ...SETTINGS, trusted: [] }),
    trust: async () => ({ ...SETTINGS, trusted: [] }),
    openDrop: async () => ({ drop: "6f0c7a3e-4d49-4f1c-9b0e-0d4c1a1c7d11" }),
    dropFile: async () => ({ bytes: 0 }),
    sendDrop: () => streamOf([]),
    discardDrop: async () => undefined,
    ...changes,
  };
}
