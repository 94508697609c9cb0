import { useEffect, useState } from "preact/hooks";
import type { ContentSource, FoundFile } from "../../../protocol/control-api.ts";
import { useStore } from "../../parts/context.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { Name } from "../../parts/small.tsx";
import { baseName, folderOf, shown } from "../../show.ts";
import { hashOf } from "../../state/route.ts";

/** Everybody who has a content, and what it is called there. */
export function SourcesDialog({ hit, onClose }: { readonly hit: FoundFile; readonly onClose: () => void }) {
  const { api, attempt, language } = useStore();
  const [sources, setSources] = useState<readonly ContentSource[] | undefined>(undefined);
  useEffect(() => {
    void attempt(async () => setSources(await api.sources(hit.content ?? "")));
  }, [hit.content]);
  return (
    <Dialog title={language.texts.sourcesOf(shown(baseName(hit.path)))} onClose={onClose}>
      {!sources && <p>{language.texts.loading}</p>}
      <ul class="plain-list">
        {sources?.map(({ id, name, path }) => (
          <li key={`${id}/${path}`}>
            <a href={hashOf({ view: "files", peer: id, path: folderOf(path) })} onClick={onClose}>
              <Name text={name} />
            </a>{" "}
            <span class="muted">
              <Name text={path} />
            </span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
