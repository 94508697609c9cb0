import { useEffect, useState } from "preact/hooks";
import type { Settings } from "../../../protocol/owner-api.ts";
import type { AcceptRule } from "../../../protocol/sending.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Name } from "../../parts/small.tsx";
import { Appearance } from "./appearance.tsx";
import { LimitsForm } from "./limits-form.tsx";

/** What can be chosen. What counts at once is sent as soon as it is changed. */
export function SettingsView() {
  const { api, attempt, note, info, connection, language } = useStore();
  const { texts } = language;
  const [settings, setSettings] = useState<Settings | undefined>(undefined);
  const [name, setName] = useState("");
  async function change(work: () => Promise<Settings>, said = true): Promise<void> {
    const done = await attempt(async () => {
      const now = await work();
      setSettings(now);
      setName(now.next.name);
    });
    if (done && said) note("done", texts.saved);
  }
  useEffect(() => void change(api.settings, false), []);
  if (!settings) return <section class="view scrolls">{texts.loading}</section>;
  return (
    <section class="view scrolls settings" aria-label={texts.settings}>
      <header class="view-head">
        <h1>{texts.settings}</h1>
      </header>
      <fieldset>
        <legend>{texts.yourPeer}</legend>
        <form
          class="setting"
          onSubmit={(event) => {
            event.preventDefault();
            void change(() => api.changeSettings({ name }));
          }}
        >
          <label>
            {texts.name}
            <input value={name} maxLength={64} required onInput={({ currentTarget }) => setName(currentTarget.value)} />
          </label>
          <button type="submit" class="button plain" disabled={name === settings.next.name}>
            {texts.save}
          </button>
          <span class="muted small">{texts.nameNote}</span>
        </form>
        <label class="check">
          <input
            type="checkbox"
            checked={settings.next.guests}
            onChange={({ currentTarget }) => void change(() => api.changeSettings({ guests: currentTarget.checked }))}
          />
          {texts.guests} <span class="muted small">{texts.nameNote}</span>
        </label>
      </fieldset>
      <fieldset>
        <legend>{texts.acceptRule}</legend>
        {(Object.keys(texts.rules) as AcceptRule[]).map((rule) => (
          <label key={rule} class="check">
            <input
              type="radio"
              name="accept"
              checked={settings.accept === rule}
              onChange={() => void change(() => api.changeSettings({ accept: rule }))}
            />
            {texts.rules[rule]}
          </label>
        ))}
        {settings.trusted.length > 0 && <h3>{texts.trusted}</h3>}
        <ul class="plain-list">
          {settings.trusted.map((peer) => (
            <li key={peer.id}>
              <Name text={peer.name} /> <code>{peer.id.slice(0, 8)}</code>{" "}
              <Button
                kind="quiet"
                icon="trash"
                label={`${texts.remove}: ${peer.name}`}
                onClick={() => void change(() => api.trust(peer.id, false))}
              />
            </li>
          ))}
        </ul>
      </fieldset>
      <LimitsForm limits={settings.limits} onChange={(limits) => void change(() => api.changeSettings({ limits }))} />
      <Appearance />
      <fieldset>
        <legend>{texts.foldersOfPeer}</legend>
        <dl>
          <dt>{texts.receivedFolder}</dt>
          <dd>
            <Name text={settings.received} />
          </dd>
          <dt>{texts.homeFolder}</dt>
          <dd>
            <Name text={info.value?.home ?? ""} />
          </dd>
          <dt>{texts.version}</dt>
          <dd>{info.value?.version}</dd>
        </dl>
        <p class="muted small">{texts.foldersNote}</p>
        <Button
          kind="quiet"
          onClick={() =>
            void attempt(async () => {
              await api.logOut();
              connection.value = "denied";
            })
          }
        >
          {texts.logOut}
        </Button>
      </fieldset>
    </section>
  );
}
