/**
 * The one vocabulary of failure. A code is part of the protocol (HTTP bodies, ERROR messages, `--json`);
 * the status is what HTTP calls it; `says` is all that a stranger is told. What exactly happened stays in the
 * message and cause of the `Failure`, on our side.
 */
export const FAILURES = {
  "bad-request": { status: 400, says: "The request does not follow the protocol" },
  "bad-message": { status: 400, says: "A message does not follow the protocol" },
  "not-tukar": { status: 400, says: "The other side does not speak tukar" },
  "protocol-older": { status: 426, says: "The other side speaks an older version of the protocol" },
  "protocol-newer": { status: 426, says: "The other side speaks a newer version of the protocol" },
  "certificate-required": { status: 403, says: "Only peers with a certificate are served" },
  "not-a-member": { status: 403, says: "Only members of the network are served" },
  "not-allowed": { status: 403, says: "That is not allowed" },
  "key-required": { status: 403, says: "The network is private: joining it takes its invite" },
  "wrong-key": { status: 403, says: "The network key is wrong" },
  "identity-mismatch": { status: 403, says: "The other side is not who was expected" },
  replaced: { status: 409, says: "The same identity connected anew" },
  "no-such-file": { status: 404, says: "No such file is shared" },
  "no-such-peer": { status: 404, says: "No such peer is online" },
  "no-such-route": { status: 404, says: "There is nothing at that address" },
  "method-not-allowed": { status: 405, says: "That method is not offered here" },
  ambiguous: { status: 409, says: "Several match" },
  "not-yet": { status: 409, says: "That part has not arrived there yet" },
  "file-changed": { status: 409, says: "The file changed while it was being read" },
  "out-of-step": { status: 409, says: "The changes do not follow what is known already" },
  "too-large": { status: 413, says: "That is larger than allowed" },
  "too-many": { status: 429, says: "Too many at once: try again later" },
  "content-mismatch": { status: 502, says: "The content did not verify" },
  unreachable: { status: 504, says: "It cannot be reached" },
  "timed-out": { status: 504, says: "It took too long" },
  "no-free-port": { status: 503, says: "No port is free for this host" },
  "no-network": { status: 503, says: "No index server is known" },
  "port-in-use": { status: 500, says: "The port is taken" },
  "disk-full": { status: 507, says: "The disk is full" },
  "file-unreadable": { status: 500, says: "The file cannot be read" },
  "cannot-save": { status: 500, says: "The file cannot be saved" },
  "home-unusable": { status: 500, says: "The home folder cannot be used" },
  "home-in-use": { status: 500, says: "The home folder is in use" },
  "database-newer": { status: 500, says: "A database belongs to a newer version" },
  "database-corrupt": { status: 500, says: "A database is damaged" },
  usage: { status: 400, says: "That is not how the command is used" },
  interrupted: { status: 499, says: "Interrupted" },
  internal: { status: 500, says: "Something failed inside" },
} as const satisfies Record<string, { status: number; says: string }>;

export type FailureCode = keyof typeof FAILURES;

/** A failure with a name. `message` is for the person at this end; a stranger gets only `toWire`. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string = FAILURES[code].says, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type WireFailure = { readonly code: FailureCode; readonly message: string };

export function isFailureCode(code: unknown): code is FailureCode {
  return typeof code === "string" && Object.hasOwn(FAILURES, code);
}

/** What a stranger may be told of an error: its code and the public sentence, never our paths or causes. */
export function toWire(error: unknown): { readonly status: number; readonly body: WireFailure } {
  const code = error instanceof Failure ? error.code : "internal";
  return { status: FAILURES[code].status, body: { code, message: FAILURES[code].says } };
}

/** The failure that somebody else reported. An unknown code (a newer program's) counts as internal. */
export function fromWire(reported: unknown, told: string): Failure {
  const code = typeof reported === "object" && reported !== null && "code" in reported ? reported.code : undefined;
  if (!isFailureCode(code)) return new Failure("internal", `${told}: it failed without a known reason`);
  return new Failure(code, `${told}: ${FAILURES[code].says}`);
}

/** Whether an error carries one of these system error codes (`ENOENT`, `EADDRINUSE`, ...), or any if none is given. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is Error & { readonly code: string } {
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) return false;
  return codes.length === 0 ? "errno" in error : codes.includes(error.code);
}
