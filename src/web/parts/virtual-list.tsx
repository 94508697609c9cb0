import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";

type VirtualListProps = {
  readonly label: string;
  readonly count: number;
  readonly rowHeight: number;
  /** The row that the keyboard is at. */
  readonly active: number;
  readonly isSelected: (at: number) => boolean;
  readonly row: (at: number) => ComponentChildren;
  readonly onKey: (event: KeyboardEvent, page: number) => void;
  readonly onRowClick: (at: number, event: MouseEvent) => void;
  /** What is marked with `data-open` in a row was clicked. */
  readonly onRowOpen: (at: number) => void;
};

/** Of every list of files. */
export const ROW_HEIGHT = 36;
/** The tallest element that every browser lays out exactly. A list that would be taller scrolls in proportion. */
const HEIGHT_MAX = 15_000_000;
/** Rows drawn beyond both edges, so that none is missing while it scrolls. */
const SPARE = 8;

/** A list of any length: only the rows that are seen are in the document. */
export function VirtualList(props: VirtualListProps) {
  const { label, count, rowHeight, active, isSelected, row, onKey, onRowClick, onRowOpen } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const id = useId();
  const fullHeight = count * rowHeight;
  const shownHeight = Math.min(fullHeight, HEIGHT_MAX);
  const scale = shownHeight <= height ? 1 : (fullHeight - height) / (shownHeight - height);
  const virtualTop = top * scale;
  const first = Math.max(0, Math.floor(virtualTop / rowHeight) - SPARE);
  const last = Math.min(count, Math.ceil((virtualTop + height) / rowHeight) + SPARE);

  useLayoutEffect(() => {
    const seen = box.current;
    if (!seen) return;
    const observer = new ResizeObserver(() => setHeight(seen.clientHeight));
    observer.observe(seen);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const seen = box.current;
    if (!seen) return;
    const from = active * rowHeight;
    const now = seen.scrollTop * scale;
    if (from < now) seen.scrollTop = from / scale;
    else if (from + rowHeight > now + seen.clientHeight)
      seen.scrollTop = (from + rowHeight - seen.clientHeight) / scale;
  }, [active]);

  const rows = [];
  for (let at = first; at < last; at++) {
    rows.push(
      <div
        key={at}
        id={`${id}-${at}`}
        class={at === active ? "row active" : "row"}
        role="option"
        tabIndex={-1}
        aria-selected={isSelected(at)}
        aria-posinset={at + 1}
        aria-setsize={count}
        style={{ top: `${at * rowHeight - virtualTop + top}px`, height: `${rowHeight}px` }}
        onClick={(event) => {
          const opens = event.target instanceof Element && event.target.closest("[data-open]") !== null;
          if (opens && !event.shiftKey && !event.ctrlKey && !event.metaKey) onRowOpen(at);
          else onRowClick(at, event);
          box.current?.focus({ preventScroll: true });
        }}
        onKeyDown={undefined}
      >
        {row(at)}
      </div>,
    );
  }
  return (
    <div
      ref={box}
      class="virtual-list"
      role="listbox"
      aria-multiselectable="true"
      aria-label={label}
      aria-activedescendant={active >= first && active < last ? `${id}-${active}` : undefined}
      tabIndex={0}
      onScroll={({ currentTarget }) => setTop(currentTarget.scrollTop)}
      onKeyDown={(event) => onKey(event, Math.max(1, Math.floor(height / rowHeight) - 1))}
    >
      <div class="virtual-space" style={{ height: `${shownHeight}px` }}>
        {rows}
      </div>
    </div>
  );
}
