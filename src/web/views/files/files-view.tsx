import { useMemo, useState } from "preact/hooks";
import type { ListEntry } from "../../../protocol/listing.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Icon, iconOf } from "../../parts/icon.tsx";
import { Preview } from "../../parts/preview.tsx";
import { Dot, Empty, Name } from "../../parts/small.tsx";
import { useSelection } from "../../parts/use-selection.ts";
import { ROW_HEIGHT, VirtualList } from "../../parts/virtual-list.tsx";
import { baseName, folderOf, shown } from "../../show.ts";
import { queueDownload } from "../../state/queue-download.ts";
import { FileToolbar } from "./file-toolbar.tsx";
import { FolderTree } from "./folder-tree.tsx";
import { ListHead } from "./list-head.tsx";
import { arranged, type Sorting } from "./listing.ts";
import { PathLine } from "./path-line.tsx";
import { useListing } from "./use-listing.ts";

type FilesProps = { readonly peer: string; readonly path: string };

/** What a peer shares: one folder as a list, all of them as a tree. */
export function FilesView({ peer, path }: FilesProps) {
  const store = useStore();
  const { texts, formats } = store.language;
  const known = store.peers.find(peer);
  return (
    <section class="view files-view" aria-label={texts.files}>
      <header class="view-head">
        <h1>
          {known && <Dot presence={known.presence} />}
          <Name text={known?.name ?? texts.peerUnknown} />
        </h1>
        {known && (
          <span class="muted">{texts.filesAndSize(formats.count(known.files), formats.size(known.bytes))}</span>
        )}
        <span class="spacer" />
        {path !== "" && (
          <Button icon="download" onClick={() => void queueDownload(store, peer, [path])}>
            {texts.downloadAll}
          </Button>
        )}
      </header>
      {known?.presence === "gone" && (
        <p class="banner amber" role="status">
          <Icon name="warning" />
          <span>{texts.peerLeft(shown(known.name))}</span>
        </p>
      )}
      <div class="files-body">
        <FolderTree key={peer} peer={peer} here={path} />
        <FolderList key={`${peer}/${path}`} peer={peer} path={path} />
      </div>
    </section>
  );
}

function FolderList({ peer, path }: FilesProps) {
  const store = useStore();
  const { texts } = store.language;
  const { entries, state, reason, reload } = useListing(peer, path);
  const [filter, setFilter] = useState("");
  const [sorting, setSorting] = useState<Sorting>({ by: "name", down: false });
  const [previewed, setPreviewed] = useState<number | undefined>(undefined);
  const rows = useMemo(() => arranged(entries, filter, sorting), [entries, filter, sorting]);
  const selection = useSelection(rows.length, `${filter}/${sorting.by}/${sorting.down}`);
  const at = (row: number): ListEntry | undefined => entries[rows[row] ?? -1];

  function open(row: number): void {
    const entry = at(row);
    if (entry?.kind === "folder") store.router.go({ view: "files", peer, path: entry.path });
    else if (entry) setPreviewed(row);
  }
  function download(wanted: readonly ListEntry[]): void {
    void queueDownload(
      store,
      peer,
      wanted.map((entry) => entry.path),
    );
    selection.clear();
  }
  function key(event: KeyboardEvent, page: number): void {
    if (event.key === "Enter") open(selection.active);
    else if (event.key === "Backspace" && path !== "") store.router.go({ view: "files", peer, path: folderOf(path) });
    else selection.key(event, page);
  }
  function step(by: -1 | 1): void {
    for (let row = (previewed ?? 0) + by; row >= 0 && row < rows.length; row += by)
      if (at(row)?.kind === "file") return setPreviewed(row);
  }

  const file = previewed === undefined ? undefined : at(previewed);
  return (
    <div class="files-main">
      <PathLine peer={peer} path={path} />
      <FileToolbar
        peer={peer}
        entries={entries.length}
        rows={rows.length}
        loading={state === "loading"}
        filter={filter}
        chosen={selection.chosen().flatMap((row) => at(row) ?? [])}
        onFilter={setFilter}
        onDownload={download}
        onPreview={() => open(selection.chosen()[0] ?? 0)}
        onClear={selection.clear}
      />
      <ListHead sorting={sorting} onSort={setSorting} />
      {state === "failed" && (
        <Empty icon="warning">
          {texts.listFailed} {shown(reason)}{" "}
          <Button icon="retry" onClick={reload}>
            {texts.retry}
          </Button>
        </Empty>
      )}
      {state !== "failed" && rows.length === 0 && (
        <Empty icon="folder">
          {state === "loading" ? texts.loading : filter === "" ? texts.emptyFolder : texts.nothingMatches}
        </Empty>
      )}
      {rows.length > 0 && (
        <VirtualList
          label={texts.files}
          count={rows.length}
          rowHeight={ROW_HEIGHT}
          active={selection.active}
          isSelected={selection.has}
          row={(row) => <FileRow entry={at(row)} chosen={selection.has(row)} />}
          onKey={key}
          onRowOpen={open}
          onRowClick={selection.click}
        />
      )}
      {file?.kind === "file" && (
        <Preview
          file={{ peer, path: file.path, type: file.type, size: file.size }}
          onClose={() => setPreviewed(undefined)}
          onDownload={() => download([file])}
          onStep={rows.length > 1 ? step : undefined}
        />
      )}
    </div>
  );
}

function FileRow({ entry, chosen }: { readonly entry: ListEntry | undefined; readonly chosen: boolean }) {
  const { formats } = useStore().language;
  if (!entry) return null;
  return (
    <>
      <span class={chosen ? "tick chosen" : "tick"}>{chosen && <Icon name="check" />}</span>
      <span class="cell-name" data-open>
        <Icon name={iconOf(entry.type)} />
        <Name text={baseName(entry.path)} />
      </span>
      <span class="cell-size">{formats.size(entry.size)}</span>
      <span class="cell-time">{formats.time(entry.modified)}</span>
      <span class="cell-type">{entry.type ?? ""}</span>
    </>
  );
}
