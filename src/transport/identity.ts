import { createHash, createPrivateKey, type KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { Failure } from "../protocol/failures.ts";
import { type PeerId, peerIdFromDigest } from "../protocol/peer-id.ts";
import { createPrivateFile, readPrivateFile } from "./private-file.ts";

/** Who one is: a P-256 key with its self-signed certificate, both PEM, and the id that follows from the key. */
export type Identity = { readonly id: PeerId; readonly keyPem: string; readonly certificatePem: string };

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * The identity kept in a file, made on the first call.
 * @throws Failure "home-unusable" if the file cannot be read or written, or holds something else
 */
export async function loadIdentity(file: string): Promise<Identity> {
  const kept = await readPrivateFile(file);
  if (kept !== undefined) return parseIdentity(kept, file);
  const made = await createIdentity();
  return parseIdentity(await createPrivateFile(file, made.keyPem + made.certificatePem), file);
}

/** A new identity in memory. The certificate names nobody: who it is follows from the key alone. */
export async function createIdentity(): Promise<Identity> {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=tukar",
    notBefore: new Date("2020-01-01T00:00:00Z"),
    notAfter: new Date("9999-12-31T23:59:59Z"), // RFC 5280, 4.1.2.5: no well-defined expiration
    signingAlgorithm: KEY_ALGORITHM,
    keys,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const certificatePem = `${certificate.toString("pem")}\n`;
  return {
    id: idOfKey(new X509Certificate(certificatePem).publicKey),
    keyPem: key.export({ type: "pkcs8", format: "pem" }).toString(),
    certificatePem,
  };
}

/** SHA-256 over the key's SubjectPublicKeyInfo (DER), as a peer id. */
export function idOfKey(publicKey: KeyObject): PeerId {
  const spki = publicKey.export({ type: "spki", format: "der" });
  return peerIdFromDigest(createHash("sha256").update(spki).digest());
}

function parseIdentity(text: string, file: string): Identity {
  const [keyPem] = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text) ?? [];
  const [certificatePem] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text) ?? [];
  try {
    if (keyPem === undefined || certificatePem === undefined) throw new Error("key or certificate is missing");
    const certificate = new X509Certificate(certificatePem);
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) throw new Error("key and certificate differ");
    return { id: idOfKey(certificate.publicKey), keyPem, certificatePem };
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot read the identity in "${file}": ${found}; restore it, or remove the file to become a new peer`;
    throw new Failure("home-unusable", message, { cause });
  }
}
