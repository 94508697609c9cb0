import { CatalogUpload } from "../../protocol/catalog.ts";
import { Failure } from "../../protocol/failures.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { answerJson } from "../../transport/answer.ts";
import { readQuery } from "../read-query.ts";
import type { MemberRoute } from "../route.ts";
import type { Sessions } from "../sessions.ts";
import type { PeerCatalogs } from "./peer-catalogs.ts";

/** `/v1/catalog`: each peer asks for and changes its own, the one of the key that it showed, and no other. */
export function catalogRoute(catalogs: PeerCatalogs, sessions: Pick<Sessions, "entryOf">): MemberRoute {
  function requireListed(member: PeerId): void {
    if (sessions.entryOf(member) === undefined) throw new Failure("not-allowed", "Only a listed peer has a catalog");
  }

  return {
    async GET(_request, response, member) {
      requireListed(member);
      answerJson(response, await catalogs.stateOf(member));
    },
    async POST(request, response, member) {
      requireListed(member);
      answerJson(response, await catalogs.take(member, readQuery(request, CatalogUpload), request));
    },
  };
}
