import { useEffect, useRef, useState } from "preact/hooks";
import type { FoundFile } from "../../../protocol/control-api.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Icon, iconOf } from "../../parts/icon.tsx";
import { Preview } from "../../parts/preview.tsx";
import { CopyButton, Empty, Name } from "../../parts/small.tsx";
import { useSelection } from "../../parts/use-selection.ts";
import { ROW_HEIGHT, VirtualList } from "../../parts/virtual-list.tsx";
import { baseName, folderOf, sizeIn } from "../../show.ts";
import { queueDownload } from "../../state/queue-download.ts";
import { SearchForm } from "./search-form.tsx";
import { SourcesDialog } from "./sources-dialog.tsx";
import { useSearch } from "./use-search.ts";

const PAGE = 200;

/** Finds what anybody in the network shares, while the words are being typed. The query stands in the address. */
export function SearchView({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const store = useStore();
  const { texts, formats } = store.language;
  const [limit, setLimit] = useState(PAGE);
  const { q = "", type, min = "", max = "", peer } = query;
  const result = useSearch({ q, limit, type, min: sizeIn(min), max: sizeIn(max), peer });
  const { hits, state } = result;
  const selection = useSelection(hits.length, JSON.stringify(query));
  const [previewed, setPreviewed] = useState<FoundFile | undefined>(undefined);
  const [sourcesOf, setSourcesOf] = useState<FoundFile | undefined>(undefined);
  const results = useRef<HTMLDivElement>(null);
  const chosen = selection.chosen().flatMap((at) => hits[at] ?? []);
  const [single] = chosen.length === 1 ? chosen : [];

  useEffect(() => setLimit(PAGE), [JSON.stringify(query)]);

  function download(wanted: readonly FoundFile[]): void {
    for (const hit of wanted) {
      const { content, path } = hit;
      if (content === null) void queueDownload(store, hit.peer.id, [path]);
      else void queueDownload(store, null, [content], { [content]: path });
    }
    selection.clear();
  }
  function ask(changed: Readonly<Record<string, string>>): void {
    const next = Object.entries({ ...query, ...changed }).filter(([, value]) => value !== "");
    store.router.replace({ view: "search", query: Object.fromEntries(next) });
  }

  return (
    <section class="view search-view" aria-label={texts.search}>
      <SearchForm
        query={query}
        onAsk={ask}
        onDown={() => results.current?.querySelector<HTMLElement>("[role=listbox]")?.focus()}
      />
      <div class="toolbar">
        <span class="muted count" role="status">
          {state === "searching" && texts.loading}
          {state === "done" && hits.length > 0 && texts.results(formats.count(hits.length), result.more)}
        </span>
        {result.suggestion !== null && state === "done" && (
          <span>
            {texts.didYouMean}{" "}
            <button type="button" class="link" onClick={() => ask({ q: result.suggestion ?? "" })}>
              <Name text={result.suggestion} />
            </button>
            ?
          </span>
        )}
        <span class="spacer" />
        {chosen.length > 0 && (
          <div class="actions">
            <Button kind="strong" icon="download" onClick={() => download(chosen)}>
              {texts.download}
            </Button>
            {single && (
              <>
                <Button icon="eye" onClick={() => setPreviewed(single)}>
                  {texts.preview}
                </Button>
                <Button
                  icon="folder"
                  onClick={() => store.router.go({ view: "files", peer: single.peer.id, path: folderOf(single.path) })}
                >
                  {texts.openFolder}
                </Button>
                {single.content !== null && (
                  <>
                    <Button icon="users" onClick={() => setSourcesOf(single)}>
                      {texts.sources}
                    </Button>
                    <CopyButton text={single.content} label={texts.copyId} />
                  </>
                )}
              </>
            )}
          </div>
        )}
        {result.more && state === "done" && <Button onClick={() => setLimit(limit + PAGE)}>{texts.showMore}</Button>}
      </div>
      {state === "idle" && (
        <Empty icon="search">
          {texts.searchStart}
          <br />
          <span class="muted">{texts.searchHelp}</span>
        </Empty>
      )}
      {state === "failed" && (
        <Empty icon="warning">
          {texts.searchFailed} <Name text={result.reason} />
        </Empty>
      )}
      {state === "done" && hits.length === 0 && <Empty icon="search">{texts.searchNothing}</Empty>}
      <div class="search-results" ref={results}>
        {hits.length > 0 && (
          <VirtualList
            label={texts.search}
            count={hits.length}
            rowHeight={ROW_HEIGHT + 12}
            active={selection.active}
            isSelected={selection.has}
            row={(at) => <HitRow hit={hits[at]} chosen={selection.has(at)} />}
            onKey={(event, page) => {
              if (event.key === "Enter") setPreviewed(hits[selection.active]);
              else selection.key(event, page);
            }}
            onRowOpen={(at) => setPreviewed(hits[at])}
            onRowClick={selection.click}
          />
        )}
      </div>
      {previewed && (
        <Preview
          file={{ peer: previewed.peer.id, path: previewed.path, type: previewed.type, size: previewed.size }}
          onClose={() => setPreviewed(undefined)}
          onDownload={() => download([previewed])}
          onStep={undefined}
        />
      )}
      {sourcesOf && <SourcesDialog hit={sourcesOf} onClose={() => setSourcesOf(undefined)} />}
    </section>
  );
}

function HitRow({ hit, chosen }: { readonly hit: FoundFile | undefined; readonly chosen: boolean }) {
  const { formats, texts } = useStore().language;
  if (!hit) return null;
  return (
    <>
      <span class={chosen ? "tick chosen" : "tick"}>{chosen && <Icon name="check" />}</span>
      <span class="cell-name two" data-open>
        <Icon name={iconOf(hit.type)} />
        <span class="lines">
          <Name text={baseName(hit.path)} />
          <span class="muted small">
            <Name text={hit.peer.name} />
            {hit.sources > 1 && ` +${formats.count(hit.sources - 1)}`}
            {folderOf(hit.path) !== "" && " · "}
            <Name text={folderOf(hit.path)} />
          </span>
        </span>
      </span>
      <span class="cell-size">{formats.size(hit.size)}</span>
      <span class="cell-time">{formats.time(hit.modified)}</span>
      <span class="cell-type">{texts.fromSources(formats.count(hit.sources))}</span>
    </>
  );
}
