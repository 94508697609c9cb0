import { formatAddress } from "../../protocol/address.ts";
import type { ContentSource, FoundFile, SearchRequest } from "../../protocol/control-api.ts";
import { shortId } from "../../protocol/peer-id.ts";
import { isEmptyQuery, parseSearchQuery, type SearchQuery } from "../../protocol/search-query.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { formatCount } from "../amounts.ts";
import { highlighted } from "../matched-parts.ts";
import { createSearchColumns } from "../search-columns.ts";
import type { VerbContext } from "../verb-context.ts";

/** `tukar search`. Each row is written as it comes. That nothing is found is no failure: an empty list means empty. */
export async function searchFiles(
  context: VerbContext,
  request: SearchRequest,
  withSources: boolean,
): Promise<undefined> {
  const { operations, output, signal, rows } = context;
  const query = parseSearchQuery(request.q);
  const columns = createSearchColumns({
    width: output.onTerminal ? output.width() : undefined,
    mostRows: request.limit,
    mark: (path) => (output.colours.isColorSupported ? highlighted(path, query, output.colours.bold) : path),
  });
  let count = 0;
  for await (const line of operations.search(request, signal)) {
    if (count === 0) rows?.clear();
    if (line.kind === "end") {
      if (!output.json) tellEnd(context, { request, query, count, more: line.more, suggestion: line.suggestion });
      return;
    }
    count += 1;
    const { peer, path, content } = line;
    const number = rows ? rows.add({ kind: "file", peer: peer.id, path, content }) : count;
    const sources = withSources ? await sourcesOf(line, context) : undefined;
    if (output.json) {
      await output.record(record(line, sources));
      continue;
    }
    if (count === 1) await output.result(output.colours.bold(columns.title));
    await output.result(columns.row(number, line));
    for (const source of sources ?? []) await output.result(output.colours.dim(columns.below(describeSource(source))));
  }
}

/** A content that one peer alone offers, and a file that is not hashed, have the source that is known already. */
async function sourcesOf(hit: FoundFile, { operations, signal }: VerbContext): Promise<readonly ContentSource[]> {
  const own = { ...hit.peer, path: hit.path };
  if (hit.content === null || hit.sources === 1) return [own];
  const sources = await Array.fromAsync(operations.sources({ content: hit.content }, signal));
  return sources.length > 0 ? sources : [own];
}

function record(hit: FoundFile, sources: readonly ContentSource[] | undefined): unknown {
  const { path, size, type, content, peer, modified } = hit;
  const peers = sources?.map(({ id, name, host, port, path }) => ({ id, name, host, port, path }));
  const { id, name, host, port } = peer;
  return { path, size, type, content, peer: { id, name, host, port }, sources: hit.sources, modified, peers };
}

function describeSource({ id, name, host, port, path }: ContentSource): string {
  return printable(`${name} (${shortId(id)}) at ${formatAddress({ host, port })}: ${path}`);
}

type End = {
  readonly request: SearchRequest;
  readonly query: SearchQuery;
  readonly count: number;
  readonly more: boolean;
  readonly suggestion: string | null;
};

function tellEnd({ output }: VerbContext, { request, query, count, more, suggestion }: End): void {
  if (more) {
    const next = request.limit * 10;
    output.talk(`There is more than these ${formatCount(count)}: --limit ${next} shows up to ${formatCount(next)}`);
  }
  if (count > 0) return;
  const advice =
    suggestion !== null
      ? `: did you mean ${printable(suggestion)}?`
      : isEmptyQuery(query)
        ? ": there is no word in it to look for"
        : "";
  output.talk(`Nothing found for ${printable(request.q)}${advice}`);
}
