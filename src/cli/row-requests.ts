import path from "node:path";
import type { GetRequest } from "../protocol/control-api.ts";
import type { ListedRow } from "./listed-rows.ts";

/** What has to be asked for to fetch rows: contents from whoever offers them, all else from the peer that was listed. */
export function requestsForRows(rows: readonly ListedRow[], recursive: boolean, output: string | null): GetRequest[] {
  // The rows may take several requests, of which none knows that there are more files for the folder.
  const isForFolder = output !== null && rows.length > 1 && !/[/\\]$/.test(output);
  const target = isForFolder ? `${output}${path.sep}` : output;

  const called = Object.fromEntries(rows.flatMap(({ content, path }) => (content === null ? [] : [[content, path]])));
  const contents = Object.keys(called);
  const byPeer = Map.groupBy(
    rows.filter(({ content }) => content === null),
    ({ peer }) => peer,
  );
  return [
    ...(contents.length > 0 ? [{ peer: null, names: contents, called, recursive, output: target }] : []),
    ...[...byPeer].map(([peer, rows]) => ({ peer, names: rows.map(({ path }) => path), recursive, output: target })),
  ];
}
