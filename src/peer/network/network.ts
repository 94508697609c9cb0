import type { PeerId } from "../../protocol/peer-id.ts";
import type { SearchParameters } from "../../protocol/search.ts";
import type { KnownPeer } from "./directory.ts";
import type { IndexSearch } from "./index-search.ts";
import type { Membership } from "./membership.ts";

/** Who is online and who has what: of an index server, of a mesh, or of both. */
export type Network = Pick<Membership, "peers" | "isMember"> & IndexSearch;

/** A mesh as a network. */
export type MeshNetwork = IndexSearch & {
  /** Everybody, oneself included. */
  peers(): Iterable<KnownPeer>;
  isMember(id: PeerId): Promise<boolean>;
  /** Whether anybody else is in it. */
  isEmpty(): boolean;
};

/**
 * The network of a peer that has an index server, a mesh, or both. Who is in both stands there as the index server knows them.
 * @param plain plain JSON peers that are here: they are members of nothing
 */
export function joinNetworks(
  index: Network | undefined,
  mesh: MeshNetwork,
  plain: () => Iterable<KnownPeer> = () => [],
): Network {
  if (!index) {
    return {
      async *peers() {
        yield* mesh.peers();
        yield* plain();
      },
      isMember: mesh.isMember,
      search: mesh.search,
      sources: mesh.sources,
    };
  }

  /** The index server's results, and after them what the mesh has besides. */
  async function* search(parameters: SearchParameters, signal: AbortSignal): ReturnType<IndexSearch["search"]> {
    const told = new Set<string>();
    let left = parameters.limit;
    for await (const line of index?.search(parameters, signal) ?? []) {
      if (line.kind === "end" && line.more === null && left > 0) {
        for await (const more of mesh.search({ ...parameters, cursor: undefined, limit: left }, signal)) {
          if (more.kind === "hit" && (more.content === null || !told.has(more.content))) yield more;
        }
      }
      if (line.kind === "hit") {
        left -= 1;
        if (line.content !== null) told.add(line.content);
      }
      yield line;
    }
  }

  return {
    async *peers(signal) {
      const told = new Set<PeerId>();
      for await (const peer of index.peers(signal)) {
        told.add(peer.id);
        yield peer;
      }
      for (const peer of mesh.peers()) if (!told.has(peer.id)) yield peer;
      yield* plain();
    },
    isMember: async (id) => (await index.isMember(id)) || (!mesh.isEmpty() && (await mesh.isMember(id))),
    search: (parameters, signal) =>
      mesh.isEmpty() || parameters.cursor !== undefined ? index.search(parameters, signal) : search(parameters, signal),
    async *sources(content, signal) {
      const told = new Set<PeerId>();
      for await (const source of index.sources(content, signal)) {
        told.add(source.peer.id);
        yield source;
      }
      if (mesh.isEmpty()) return;
      for await (const source of mesh.sources(content, signal)) if (!told.has(source.peer.id)) yield source;
    },
  };
}
