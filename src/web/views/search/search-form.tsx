import { useEffect, useRef } from "preact/hooks";
import type { FileKind } from "../../../protocol/file-kind.ts";
import { useStore } from "../../parts/context.ts";
import { Icon } from "../../parts/icon.tsx";
import { shown } from "../../show.ts";

type SearchFormProps = {
  readonly query: Readonly<Record<string, string>>;
  readonly onAsk: (changed: Readonly<Record<string, string>>) => void;
  /** The arrow downwards was pressed: on to the results. */
  readonly onDown: () => void;
};

/** The words and what narrows them. */
export function SearchForm({ query, onAsk, onDown }: SearchFormProps) {
  const { language, peers } = useStore();
  const { texts } = language;
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  return (
    <search class="search-form">
      <label class="field big">
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          value={query["q"] ?? ""}
          placeholder={texts.searchHint}
          aria-label={texts.searchHint}
          maxLength={200}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => onAsk({ q: currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key !== "ArrowDown") return;
            event.preventDefault();
            onDown();
          }}
        />
      </label>
      <div class="filters">
        <select
          aria-label={texts.type}
          value={query["type"] ?? ""}
          onChange={({ currentTarget }) => onAsk({ type: currentTarget.value })}
        >
          <option value="">{texts.anyType}</option>
          {(Object.keys(texts.kinds) as FileKind[]).map((kind) => (
            <option key={kind} value={kind}>
              {texts.kinds[kind]}
            </option>
          ))}
        </select>
        <select
          aria-label={texts.peer}
          value={query["peer"] ?? ""}
          onChange={({ currentTarget }) => onAsk({ peer: currentTarget.value })}
        >
          <option value="">{texts.anyPeer}</option>
          {peers.list.value
            .filter(({ presence }) => presence !== "gone")
            .map(({ id, name }) => (
              <option key={id} value={id}>
                {shown(name)}
              </option>
            ))}
        </select>
        {(["min", "max"] as const).map((bound) => (
          <input
            key={bound}
            class="size-input"
            value={query[bound] ?? ""}
            placeholder={`${bound === "min" ? texts.minSize : texts.maxSize}, ${texts.sizeExample}`}
            aria-label={bound === "min" ? texts.minSize : texts.maxSize}
            onInput={({ currentTarget }) => onAsk({ [bound]: currentTarget.value })}
          />
        ))}
      </div>
    </search>
  );
}
