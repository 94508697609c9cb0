import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { isLoopback } from "../../protocol/address.ts";
import { Failure } from "../../protocol/failures.ts";

export type PageOrigin = {
  readonly scheme: "http" | "https";
  /** Where the page listens, as it was asked for. */
  readonly host: string;
  /** What this machine is called. */
  readonly machine: string;
};

type AskedRequest = { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders };

const EVERY_ADDRESS: readonly string[] = ["::", "0.0.0.0"];
const READS: readonly (string | undefined)[] = ["GET", "HEAD"];

/**
 * Refuses what other web pages make a browser ask for. A page whose name was made to lead to this machine (DNS rebinding)
 * shows by its `Host`; one that only sends requests here shows by `Origin` and `Sec-Fetch-Site`.
 * @param byCookie the request is only trusted since a browser added a cookie to it by itself
 * @throws Failure "not-allowed"
 */
export function judgeRequest({ method, headers }: AskedRequest, page: PageOrigin, byCookie: boolean): void {
  const { host, origin, "sec-fetch-site": site } = headers;
  if (!isOwnHost(host, page)) throw new Failure("not-allowed", "That name does not belong to the page");
  if (origin !== undefined && origin !== `${page.scheme}://${host}`) throw fromElsewhere();
  if (READS.includes(method)) return;
  if (site !== undefined && site !== "same-origin") throw fromElsewhere();
  if (byCookie && origin === undefined && site === undefined) throw fromElsewhere();
}

/**
 * The same for what is only read but not for others' eyes: no other page may have it fetched or shown.
 * @throws Failure "not-allowed"
 */
export function judgeReading({ headers }: AskedRequest): void {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") throw fromElsewhere();
}

/** Whether a `Host` header means this page. An IP address cannot be made to lead elsewhere; a name can. */
function isOwnHost(header: string | undefined, { host, machine }: PageOrigin): boolean {
  const [, bracketed, plain = ""] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(header ?? "") ?? [];
  const name = (bracketed ?? plain).toLowerCase();
  if (name === "") return false;
  if (name === "localhost" || isLoopback(name) || name === host.toLowerCase()) return true;
  if (!EVERY_ADDRESS.includes(host)) return false;
  const own = machine.toLowerCase();
  return isIP(name) !== 0 || name === own || name === `${own}.local`;
}

function fromElsewhere(): Failure {
  return new Failure("not-allowed", "Another web page asked for that");
}
