import { useStore } from "../../parts/context.ts";
import { Empty, Name, Progress } from "../../parts/small.tsx";
import { shown } from "../../show.ts";

/** Who fetches what from here right now. */
export function ServingList() {
  const { serving, peers, language } = useStore();
  const { texts, formats } = language;
  if (serving.value.length === 0) return <Empty icon="upload">{texts.noUploads}</Empty>;
  return (
    <ul class="cards">
      {serving.value.map(({ id, peer, name, bytes, total, rate, waits }) => (
        <li key={id} class="card">
          <div class="card-main">
            <strong class="card-title">
              <Name text={name ?? texts.severalFiles} />
            </strong>
            <span class="muted">{texts.toPeer(shown(peers.nameOf(peer.id) ?? peer.host))}</span>
            <span class="muted">{waits ? texts.waitsForSlot : `${formats.size(bytes)} · ${formats.rate(rate)}`}</span>
          </div>
          <Progress bytes={bytes} total={total} label={shown(name ?? texts.severalFiles)} />
        </li>
      ))}
    </ul>
  );
}
