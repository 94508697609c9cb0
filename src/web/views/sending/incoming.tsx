import type { ReceivedOffer } from "../../../protocol/sending.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Name } from "../../parts/small.tsx";
import { shown } from "../../show.ts";

/** What others offer: those that wait for an answer first. */
export function Incoming() {
  const { offers, language } = useStore();
  const { texts } = language;
  const list = offers.value.toReversed().toSorted((a, b) => Number(b.state === "open") - Number(a.state === "open"));
  return (
    <>
      <h2>{texts.incoming}</h2>
      {list.length === 0 && <p class="muted">{texts.noIncoming}</p>}
      <ul class="cards">
        {list.slice(0, 100).map((offer) => (
          <Offer key={offer.id} offer={offer} />
        ))}
      </ul>
    </>
  );
}

function Offer({ offer }: { readonly offer: ReceivedOffer }) {
  const { api, attempt, refresh, language } = useStore();
  const { texts, formats } = language;
  const { id, peer, names, files, bytes, state, reason } = offer;
  const answer = (how: "accept" | "decline" | "always") => () =>
    void attempt(async () => {
      if (how === "always") await api.trust(peer.id, true);
      await api.answerOffers({ answer: how === "decline" ? "decline" : "accept", which: [id] });
      await refresh(true);
    });
  return (
    <li class={state === "open" ? "card offer open" : "card offer"}>
      <div class="card-main">
        <strong class="card-title">
          <bdi>{texts.offerTitle(shown(peer.name), formats.count(files), formats.size(bytes))}</bdi>
        </strong>
        <span class="muted">
          {peer.known ? texts.knownPeer : texts.newPeer} · <code>{peer.id.slice(0, 8)}</code>
        </span>
        <span class={`state ${state}`}>{texts.states[state]}</span>
      </div>
      <p class="names">
        {names.slice(0, 6).map((name) => (
          <span key={name} class="chip">
            <Name text={name} />
          </span>
        ))}
        {names.length > 6 && <span class="chip">+{formats.count(names.length - 6)}</span>}
        {reason !== null && state !== "open" && (
          <span class="muted">
            <Name text={reason} />
          </span>
        )}
      </p>
      {state === "open" && (
        <div class="actions">
          <Button kind="strong" icon="check" onClick={answer("accept")}>
            {texts.accept}
          </Button>
          <Button icon="close" onClick={answer("decline")}>
            {texts.decline}
          </Button>
          <Button kind="quiet" onClick={answer("always")}>
            {texts.always}
          </Button>
        </div>
      )}
    </li>
  );
}
