import { useEffect, useState } from "preact/hooks";
import type { Share, Shares } from "../../../protocol/owner-api.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Icon } from "../../parts/icon.tsx";
import { Empty, Name } from "../../parts/small.tsx";
import { shown } from "../../show.ts";
import { ServingList } from "../transfers/serving-list.tsx";
import { PlacePicker } from "./place-picker.tsx";

/** What this peer offers to everybody: folders given at the start, and what the manifest names. */
export function SharesView() {
  const { api, attempt, info, language } = useStore();
  const { texts, formats } = language;
  const [shares, setShares] = useState<Shares | undefined>(undefined);
  const [picking, setPicking] = useState(false);
  const change = (work: () => Promise<Shares>): Promise<boolean> => attempt(async () => setShares(await work()));
  useEffect(() => void change(api.shares), []);
  const totals = info.value?.shares;

  return (
    <section class="view scrolls" aria-label={texts.shares}>
      <header class="view-head">
        <h1>{texts.shares}</h1>
        <span class="spacer" />
        <Button kind="strong" icon="plus" onClick={() => setPicking(true)} disabled={shares?.manifest === null}>
          {texts.addShare}
        </Button>
      </header>
      <p class="muted">{texts.sharesText}</p>
      {totals && (
        <p role="status">
          {texts.sharing(formats.count(totals.files), formats.size(totals.bytes))}
          {totals.unhashed > 0 && ` · ${texts.hashing(formats.count(totals.unhashed))}`}
        </p>
      )}
      {shares?.shares.length === 0 && <Empty icon="shares">{texts.noShares}</Empty>}
      <ul class="cards">
        {shares?.shares.map((share) => (
          <ShareRow
            key={`${share.from}/${share.name}/${share.path}`}
            share={share}
            onRemove={() => void change(() => api.removeShare(share.name))}
          />
        ))}
      </ul>
      {totals && totals.problems.length > 0 && (
        <>
          <h2>{texts.problems}</h2>
          <ul class="plain-list problems">
            {totals.problems.map((problem) => (
              <li key={problem}>
                <Icon name="warning" /> <Name text={problem} />
              </li>
            ))}
          </ul>
        </>
      )}
      <h2>{texts.uploads}</h2>
      <ServingList />
      {picking && (
        <PlacePicker
          onClose={() => setPicking(false)}
          onPick={async (path) => {
            if (await change(() => api.addShare(path))) setPicking(false);
          }}
        />
      )}
    </section>
  );
}

function ShareRow({ share, onRemove }: { readonly share: Share; readonly onRemove: () => void }) {
  const { texts } = useStore().language;
  const { from, name, path, kind } = share;
  return (
    <li class="card">
      <div class="card-main">
        <strong class="card-title">
          <Icon name={kind === "file" ? "file" : "folder"} />
          <Name text={path} />
        </strong>
        <span class="muted">
          <bdi>{name === "" ? texts.sharedTop : texts.sharedAs(shown(name))}</bdi>
        </span>
        {kind === "missing" && <span class="state failed">{texts.missing}</span>}
        {from === "option" ? (
          <span class="muted">{texts.fromOption}</span>
        ) : (
          <Button kind="quiet" icon="trash" label={texts.removeShare(shown(name))} onClick={onRemove} />
        )}
      </div>
    </li>
  );
}
