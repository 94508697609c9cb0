import { Failure } from "../../protocol/failures.ts";
import type { NetworkKey } from "../../protocol/network-key.ts";

/** @throws Failure "usage" where a network key keeps others out: plain JSON peers have none, and nothing that they say is encrypted */
export function refusePrivate(key: NetworkKey | undefined): void {
  if (key === undefined) return;
  throw new Failure(
    "usage",
    "--plain-port lets in whoever reaches it, without key and encryption, and this network is private: it takes an open one",
  );
}
