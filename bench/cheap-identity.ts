import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { createIdentity, type Identity, idOfKey } from "../src/transport/identity.ts";

/** An uncompressed point of P-256: what makes one such key differ from another in a certificate. */
const POINT_BYTES = 65;

/**
 * Makes identities at about 0.1 ms each, where `createIdentity` takes a millisecond: one certificate is a mould, and only
 * the key in it is replaced. Its signature is wrong then, which nobody checks: see the specification, *Identity and TLS*.
 */
export async function createIdentityMould(): Promise<() => Identity> {
  const mould = new X509Certificate((await createIdentity()).certificatePem);
  const der = mould.raw;
  const at = der.indexOf(pointOf(mould.publicKey.export({ type: "spki", format: "der" })));
  return () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const certificate = Buffer.from(der);
    pointOf(publicKey.export({ type: "spki", format: "der" })).copy(certificate, at);
    return {
      id: idOfKey(publicKey),
      keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      certificatePem: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64")}\n-----END CERTIFICATE-----\n`,
    };
  };
}

function pointOf(spki: Buffer): Buffer {
  return spki.subarray(spki.length - POINT_BYTES);
}
