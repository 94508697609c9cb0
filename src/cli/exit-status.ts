import type { FailureCode } from "../protocol/failures.ts";

/** What a command ends with: the failure that counts, or nothing if all went well. */
export type Outcome = FailureCode | undefined;

export const INTERRUPTED_STATUS = 130;

const STATUS = {
  usage: 2,
  "no-such-peer": 3,
  "no-such-file": 3,
  ambiguous: 3,
  unreachable: 4,
  "timed-out": 4,
  "not-tukar": 4,
  "protocol-older": 4,
  "protocol-newer": 4,
  "no-network": 4,
  "content-mismatch": 5,
  "not-allowed": 6,
  "not-a-member": 6,
  "certificate-required": 6,
  "key-required": 6,
  "wrong-key": 6,
  "identity-mismatch": 6,
  interrupted: INTERRUPTED_STATUS,
  "bad-request": 1,
  "bad-message": 1,
  replaced: 1,
  "no-such-route": 1,
  "method-not-allowed": 1,
  "not-yet": 1,
  "file-changed": 1,
  "out-of-step": 1,
  "too-large": 1,
  "too-many": 1,
  "no-free-port": 1,
  "port-in-use": 1,
  "disk-full": 1,
  "file-unreadable": 1,
  "cannot-save": 1,
  "home-unusable": 1,
  "home-in-use": 1,
  "database-newer": 1,
  "database-corrupt": 1,
  internal: 1,
} as const satisfies Record<FailureCode, number>;

/** The exit status of the process for what a command ended with. */
export function exitStatus(outcome: Outcome): number {
  return outcome === undefined ? 0 : STATUS[outcome];
}
