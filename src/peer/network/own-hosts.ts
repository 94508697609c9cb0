import { networkInterfaces } from "node:os";
import { isLoopback } from "../../protocol/address.ts";
import { CANDIDATES_MAX } from "../../protocol/limits.ts";

/** The addresses at which a server bound to `host` might be reached from other machines, IPv4 first. */
export function ownHosts(host: string): readonly string[] {
  if (host !== "::" && host !== "0.0.0.0") return isLoopback(host) ? [] : [host];
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(
      ({ internal, address, family }) => !internal && !isLinkLocal(address) && (host === "::" || family === "IPv4"),
    )
    .toSorted((a, b) => a.family.localeCompare(b.family))
    .map(({ address }) => address)
    .slice(0, CANDIDATES_MAX);
}

/** Such an address means nothing without the name of the interface, which differs from machine to machine. */
function isLinkLocal(address: string): boolean {
  return address.startsWith("fe80:") || address.startsWith("169.254.");
}
