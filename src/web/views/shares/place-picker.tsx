import { useEffect, useState } from "preact/hooks";
import type { Places } from "../../../protocol/owner-api.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Name } from "../../parts/small.tsx";
import { shown } from "../../show.ts";

type PlacePickerProps = { readonly onClose: () => void; readonly onPick: (path: string) => void };

/** Finds a folder or file of the machine on which the peer runs. */
export function PlacePicker({ onClose, onPick }: PlacePickerProps) {
  const { api, attempt, language } = useStore();
  const { texts } = language;
  const [places, setPlaces] = useState<Places | undefined>(undefined);
  const [typed, setTyped] = useState("");
  const go = (path: string | undefined): void =>
    void attempt(async () => {
      const found = await api.places(path);
      setPlaces(found);
      setTyped(found.path);
    });
  useEffect(() => go(undefined), []);
  return (
    <Dialog title={texts.addShare} onClose={onClose}>
      <form
        class="toolbar"
        onSubmit={(event) => {
          event.preventDefault();
          go(typed);
        }}
      >
        <Button
          kind="quiet"
          icon="up"
          label={texts.parentFolder}
          disabled={places?.parent === null}
          onClick={() => go(places?.parent ?? undefined)}
        />
        <label class="field grow">
          <input
            value={typed}
            aria-label={texts.path}
            spellcheck={false}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>
        <button type="submit" class="button plain">
          {texts.go}
        </button>
      </form>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with the keyboard */}
      <ul class="plain-list places" tabIndex={0}>
        {places?.entries.map(({ name, path, kind }) => (
          <li key={path}>
            <Icon name={kind} />
            {kind === "folder" ? (
              <button type="button" class="link grow" onClick={() => go(path)}>
                <Name text={name} />
              </button>
            ) : (
              <span class="grow">
                <Name text={name} />
              </span>
            )}
            <Button
              kind="quiet"
              label={`${texts.shareFile}: ${shown(name)}`}
              icon="plus"
              onClick={() => onPick(path)}
            />
          </li>
        ))}
      </ul>
      <footer class="dialog-actions">
        <Button kind="strong" icon="plus" disabled={!places} onClick={() => onPick(places?.path ?? "")}>
          {texts.shareThis}
        </Button>
      </footer>
    </Dialog>
  );
}
