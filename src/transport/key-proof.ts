import { createHmac, timingSafeEqual } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { NetworkKey } from "../protocol/network-key.ts";
import type { PeerId } from "../protocol/peer-id.ts";

/** Keying material of this one TLS connection (RFC 5705, RFC 9266): a proof made for it fits no other. */
const EXPORTER_LABEL = "EXPORTER-tukar-network-key";
const EXPORTED_BYTES = 32;

/** Who proves to whom. */
export type ProofParties = { readonly prover: PeerId; readonly verifier: PeerId };

/** Shows that the prover knows the network key without showing the key: HMAC-SHA-256 in base64url. */
export function proveKey(key: NetworkKey, socket: TLSSocket, parties: ProofParties): string {
  return proofFor(key, channelBinding(socket), parties).toString("base64url");
}

/** Whether a proof that came over this connection is right. Takes as long for a wrong one as for a right one. */
export function verifyKeyProof(proof: string, key: NetworkKey, socket: TLSSocket, parties: ProofParties): boolean {
  const shown = Buffer.from(proof, "base64url");
  const expected = proofFor(key, channelBinding(socket), parties);
  return shown.length === expected.length && timingSafeEqual(shown, expected);
}

function channelBinding(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(EXPORTED_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
}

function proofFor(key: NetworkKey, binding: Buffer, { prover, verifier }: ProofParties): Buffer {
  return createHmac("sha256", Buffer.from(key, "base64url")).update(binding).update(prover).update(verifier).digest();
}
