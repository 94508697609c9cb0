import { useState } from "preact/hooks";
import type { ReceivedFile } from "../../../protocol/downloads.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Empty, Name } from "../../parts/small.tsx";
import { baseName } from "../../show.ts";

const LIMIT = 200;

/** What was received, the last first. */
export function History() {
  const { api, attempt, language } = useStore();
  const { texts, formats } = language;
  const [files, setFiles] = useState<readonly ReceivedFile[] | undefined>(undefined);
  const load = (): void => void attempt(async () => setFiles(await api.history(LIMIT)));
  return (
    <>
      <h2>{texts.history}</h2>
      {!files && <Button onClick={load}>{texts.showHistory}</Button>}
      {files?.length === 0 && <Empty icon="file">{texts.noHistory}</Empty>}
      <ul class="plain-list lined">
        {files?.map(({ at, path, saved, bytes, peer, sources, download }) => (
          <li key={`${download}/${path}/${at}`}>
            <strong>
              <Name text={baseName(path)} />
            </strong>{" "}
            <span class="muted">
              {formats.size(bytes)} · <Name text={peer?.name ?? texts.fromAnybody} />
              {sources > 1 && ` · ${texts.fromSources(formats.count(sources))}`} · {formats.time(at)}
            </span>
            <br />
            <span class="muted small">
              <Name text={texts.savedAs(saved)} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
