import { isIPv4, isIPv6 } from "node:net";

/** Where something listens. `host` is a name or an IP address without brackets. */
export type Address = { readonly host: string; readonly port: number };

/** A DNS name (of any alphabet) or an IPv4 address; an IPv6 address with or without a zone; a port. */
const ADDRESS = /^(?:([\p{L}\p{M}\p{N}._-]{1,253})|\[([0-9a-f:.]+)(%[\w.-]{1,64})?\])(?::(\d{1,5}))?$/iu;

/** Reads `HOST:PORT` or `[IPv6]:PORT`; a bare `HOST` gets the default port, if there is one. */
export function parseAddress(text: string, defaultPort?: number): Address | undefined {
  const match = ADDRESS.exec(text);
  if (!match) return undefined;
  const [, name, ipv6 = "", zone = "", portText] = match;
  if (name === undefined && !isIPv6(ipv6)) return undefined;
  const host = name ?? `${ipv6}${zone}`;
  const port = portText === undefined ? defaultPort : Number(portText);
  return port !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IP address in its plainest form: IPv4 inside IPv6 (`::ffff:1.2.3.4`) is IPv4, and zones (`%eth0`), which mean nothing elsewhere, go. */
export function plainIp(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address.replace(/%.*$/, "");
}

/** Whether an IP address is this very machine. A name never is, whatever it looks like. */
export function isLoopback(ip: string): boolean {
  const plain = plainIp(ip);
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}
