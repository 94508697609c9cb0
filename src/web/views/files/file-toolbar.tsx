import type { ListEntry } from "../../../protocol/listing.ts";
import { contentUrl } from "../../api/api.ts";
import { Button } from "../../parts/button.tsx";
import { useLanguage } from "../../parts/context.ts";
import { Icon } from "../../parts/icon.tsx";
import { CopyButton } from "../../parts/small.tsx";
import { baseName, shown } from "../../show.ts";

type FileToolbarProps = {
  readonly peer: string;
  /** All entries of the folder, and those that the filter lets through. */
  readonly entries: number;
  readonly rows: number;
  readonly loading: boolean;
  readonly filter: string;
  readonly chosen: readonly ListEntry[];
  readonly onFilter: (filter: string) => void;
  readonly onDownload: (wanted: readonly ListEntry[]) => void;
  readonly onPreview: () => void;
  readonly onClear: () => void;
};

/** The filter of a folder, and what can be done with the chosen entries. */
export function FileToolbar(props: FileToolbarProps) {
  const { peer, entries, rows, loading, filter, chosen, onFilter, onDownload, onPreview, onClear } = props;
  const { texts, formats } = useLanguage();
  const [single] = chosen.length === 1 ? chosen : [];
  const bytes = chosen.reduce((sum, { size }) => sum + size, 0);
  return (
    <div class="toolbar">
      <label class="field grow">
        <Icon name="search" />
        <input
          type="search"
          value={filter}
          placeholder={texts.filterFiles}
          aria-label={texts.filterFiles}
          onInput={({ currentTarget }) => onFilter(currentTarget.value)}
        />
      </label>
      <span class="muted count" role="status">
        {chosen.length > 0
          ? texts.selectedFiles(formats.count(chosen.length), formats.size(bytes))
          : texts.listedFiles(formats.count(rows), formats.count(entries))}
        {loading && ` · ${texts.loading}`}
      </span>
      {chosen.length > 0 && (
        <div class="actions">
          <Button kind="strong" icon="download" onClick={() => onDownload(chosen)}>
            {texts.download}
          </Button>
          {single?.kind === "file" && (
            <>
              <Button icon="eye" onClick={onPreview}>
                {texts.preview}
              </Button>
              <a
                class="button plain"
                href={contentUrl(peer, single.path, true)}
                download={shown(baseName(single.path))}
              >
                {texts.saveHere}
              </a>
              {single.content !== null && <CopyButton text={single.content} label={texts.copyId} />}
            </>
          )}
          <Button kind="quiet" icon="close" label={texts.clearSelection} onClick={onClear} />
        </div>
      )}
    </div>
  );
}
