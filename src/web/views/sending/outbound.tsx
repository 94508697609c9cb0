import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Name, Progress } from "../../parts/small.tsx";
import { shown } from "../../show.ts";

const ALIVE: readonly string[] = ["waiting", "offered", "accepted"];

/** What this peer sends: what is being read from the browser, and what stands in the list of sends. */
export function Outbound() {
  const { api, attempt, refresh, sends, outgoing, language } = useStore();
  const { texts, formats } = language;
  const list = sends.value.toReversed().slice(0, 100);
  const change = (work: () => Promise<unknown>): void =>
    void attempt(async () => {
      await work();
      await refresh(true);
    });
  return (
    <>
      <div class="head-line">
        <h2>{texts.outgoing}</h2>
        {list.some(({ state }) => !ALIVE.includes(state)) && (
          <Button kind="quiet" icon="check" onClick={() => change(() => api.changeSends({ action: "clear" }))}>
            {texts.clearEnded}
          </Button>
        )}
      </div>
      {list.length === 0 && outgoing.gathering.value.length === 0 && <p class="muted">{texts.noOutgoing}</p>}
      <ul class="cards">
        {outgoing.gathering.value.map(({ id, to, bytes, total, cancel }) => (
          <li key={`gathering-${id}`} class="card">
            <div class="card-main">
              <strong class="card-title">{texts.toPeer(to)}</strong>
              <span class="muted">{texts.gathering(formats.size(bytes), formats.size(total))}</span>
              <Button kind="quiet" icon="close" label={`${texts.cancel}: ${to}`} onClick={cancel} />
            </div>
            <Progress bytes={bytes} total={total} label={to} />
          </li>
        ))}
        {list.map(({ id, peer, names, bytes, total, state, reason }) => (
          <li key={id} class="card">
            <div class="card-main">
              <strong class="card-title">
                <Name text={names.length > 1 ? texts.andMore(names[0] ?? "", names.length - 1) : (names[0] ?? "")} />
              </strong>
              <span class="muted">{texts.toPeer(shown(peer.name))}</span>
              <span class={`state ${state}`}>{texts.states[state]}</span>
              {ALIVE.includes(state) && (
                <Button
                  kind="quiet"
                  icon="close"
                  label={`${texts.cancel}: ${shown(names[0] ?? "")}`}
                  onClick={() => change(() => api.changeSends({ action: "cancel", which: [id] }))}
                />
              )}
            </div>
            {ALIVE.includes(state) && <Progress bytes={bytes} total={total} label={shown(names[0] ?? "")} />}
            <div class="card-foot">
              <span class="muted">
                {formats.size(bytes)} / {formats.size(total)}
                {reason !== null && " · "}
                {reason !== null && <Name text={reason} />}
              </span>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
