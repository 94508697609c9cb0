import { Failure } from "../protocol/failures.ts";
import { judgeVersion, PROTOCOL_VERSION } from "../protocol/version.ts";

/**
 * Whether the other side speaks this protocol version.
 * @throws Failure "not-tukar", "protocol-older" or "protocol-newer"
 */
export function checkVersion(header: string | readonly string[] | undefined, called: string): void {
  const verdict = judgeVersion(header);
  if (verdict === "same") return;
  if (verdict === "not-tukar") throw new Failure("not-tukar", `What answers as ${called} is not tukar`);
  const advice = verdict === "older" ? "it needs a newer tukar" : "update tukar here";
  throw new Failure(
    `protocol-${verdict}`,
    `${called} speaks an ${verdict} protocol version (${String(header)}, here ${PROTOCOL_VERSION}): ${advice}`,
  );
}
