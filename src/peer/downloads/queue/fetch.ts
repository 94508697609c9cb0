import type { GetEvent, GetRequest } from "../../../protocol/control-api.ts";
import type { Tally } from "./tally.ts";

/** What the queue asks of whoever fetches. */

export type FetchOptions = {
  /** Absolute path of the folder where it lands if the request names none. */
  readonly received: string;
  /** Hears what is found out on the way. */
  readonly learns: Pick<Tally, "metPeer" | "metSource" | "resolved">;
};

/** Fetches what a request asks for, and tells what happens. */
export type Fetch = (request: GetRequest, options: FetchOptions, signal: AbortSignal) => AsyncIterable<GetEvent>;
