import { useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";
import { useStore } from "../parts/context.ts";
import { DropZone } from "../parts/drop-zone.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import { Dot, Name } from "../parts/small.tsx";
import { shown } from "../show.ts";
import type { ShownPeer } from "../state/peers.ts";
import { hashOf, type Route } from "../state/route.ts";
import { ConnectDialog } from "./connect-dialog.tsx";
import { InviteDialog } from "./invite-dialog.tsx";

const VIEWS: readonly (readonly [view: Exclude<Route["view"], "files">, icon: IconName])[] = [
  ["search", "search"],
  ["chat", "chat"],
  ["transfers", "transfers"],
  ["sending", "send"],
  ["shares", "shares"],
  ["settings", "settings"],
];
/** With more peers than that a filter helps. */
const FILTER_FROM = 8;
const SHOWN_MAX = 500;

/** Who one is, where to go, and who else is there. */
export function Sidebar({ onGo }: { readonly onGo: () => void }) {
  const { info, peers, language } = useStore();
  const { texts } = language;
  const [inviting, setInviting] = useState(false);
  const [connecting, setConnecting] = useState(false);
  const [filter, setFilter] = useState("");
  const me = info.value;
  const others = peers.list.value.filter(({ self }) => !self);
  const found = others.filter(({ name, id }) => `${name} ${id}`.toLowerCase().includes(filter.trim().toLowerCase()));
  return (
    <div class="sidebar">
      <div class="me">
        <img src="/icon.svg" alt="" width={36} height={36} />
        <div class="lines">
          <strong>
            <Name text={me?.name ?? "…"} />
          </strong>
          <code class="muted small" title={me?.id}>
            {me?.id.slice(0, 8)}
          </code>
        </div>
      </div>
      {me?.index && (
        <p class="network small">
          <Dot presence={me.index.connected ? "online" : "gone"} />
          <span>
            <bdi>{texts.networkOf(shown(me.index.name ?? me.index.host))}</bdi>
            <span class="muted">, {me.index.connected ? texts.networkUp : texts.networkDown}</span>
          </span>
        </p>
      )}
      <Views onGo={onGo} />
      <div class="head-line">
        <h2>{texts.peers}</h2>
        {me?.index && (
          <Button icon="qr" onClick={() => setInviting(true)}>
            {texts.invite}
          </Button>
        )}
      </div>
      <Button icon="plus" onClick={() => setConnecting(true)}>
        {texts.connectPeer}
      </Button>
      {others.length >= FILTER_FROM && (
        <label class="field">
          <Icon name="search" />
          <input
            type="search"
            value={filter}
            placeholder={texts.filterPeers}
            aria-label={texts.filterPeers}
            onInput={({ currentTarget }) => setFilter(currentTarget.value)}
          />
        </label>
      )}
      <ul class="peer-list" aria-label={texts.peers}>
        {found.slice(0, SHOWN_MAX).map((peer) => (
          <li key={peer.id}>
            <PeerLink peer={peer} onGo={onGo} />
          </li>
        ))}
      </ul>
      {others.length === 0 && <p class="muted small">{texts.noPeers}</p>}
      {connecting && <ConnectDialog onClose={() => setConnecting(false)} />}
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
    </div>
  );
}

function Views({ onGo }: { readonly onGo: () => void }) {
  const { router, downloads, offers, chat, language } = useStore();
  const { texts } = language;
  const loud: readonly string[] = ["sending", "chat"];
  const badges: Readonly<Record<string, number>> = {
    chat: [...chat.unread.value.values()].reduce((sum, count) => sum + count, 0),
    transfers: downloads.value.filter(({ state }) => ["queued", "running", "waiting"].includes(state)).length,
    sending: offers.value.filter(({ state }) => state === "open").length,
  };
  return (
    <nav class="views" aria-label={texts.views}>
      {VIEWS.map(([view, icon]) => (
        <a
          key={view}
          href={hashOf(placeOf(view))}
          aria-current={router.route.value.view === view ? "page" : undefined}
          onClick={onGo}
        >
          <Icon name={icon} />
          <span>{texts[view]}</span>
          {(badges[view] ?? 0) > 0 && <span class={loud.includes(view) ? "badge loud" : "badge"}>{badges[view]}</span>}
        </a>
      ))}
    </nav>
  );
}

function placeOf(view: Exclude<Route["view"], "files">): Route {
  if (view === "search") return { view, query: {} };
  return view === "chat" ? { view, peer: "" } : { view };
}

function PeerLink({ peer, onGo }: { readonly peer: ShownPeer; readonly onGo: () => void }) {
  const { router, chat, language } = useStore();
  const { texts, formats } = language;
  const route = router.route.value;
  const unread = chat.unread.value.get(peer.id) ?? 0;
  const isHere = route.view === "files" && route.peer === peer.id;
  return (
    <DropZone peer={peer.id} to={shown(peer.name)} className="peer-drop">
      <a
        class="peer-link"
        href={hashOf({ view: "files", peer: peer.id, path: "" })}
        aria-current={isHere ? "page" : undefined}
        title={texts.dropOn(shown(peer.name))}
        onClick={onGo}
      >
        <Dot presence={peer.presence} />
        <span class="lines">
          <Name text={peer.name} />
          <span class="muted small">{texts.filesAndSize(formats.count(peer.files), formats.size(peer.bytes))}</span>
        </span>
      </a>
      <a
        class="peer-chat"
        href={hashOf({ view: "chat", peer: peer.id })}
        aria-label={texts.chatWith(shown(peer.name), unread)}
        aria-current={route.view === "chat" && route.peer === peer.id ? "page" : undefined}
        title={texts.chatWith(shown(peer.name), unread)}
        onClick={onGo}
      >
        {unread > 0 ? <span class="badge loud">{unread}</span> : <Icon name="chat" />}
      </a>
    </DropZone>
  );
}
