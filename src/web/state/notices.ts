import type { PeerEvent } from "../../protocol/control-api.ts";
import { baseName, shown } from "../show.ts";
import type { Store } from "./store.ts";

/** Has the browser tell of what the owner waits for, if they asked for that. */
export function notify({ preferences, language, router }: Store, event: PeerEvent): void {
  if (!preferences.notify.value || !document.hidden || Notification.permission !== "granted") return;
  const { texts } = language;
  if (event.event === "offer" && event.answer === "open") {
    const names = event.names.slice(0, 3).map(shown).join(", ");
    say(texts.offerNotice(shown(event.peer.name)), names, () => router.go({ view: "sending" }));
  }
  if (event.event === "received") {
    say(texts.receivedNotice(shown(baseName(event.path))), "", () => router.go({ view: "transfers" }));
  }
  if (event.event === "message" && event.scope === "direct") {
    const open = (): void => router.go({ view: "chat", peer: event.from.id });
    say(texts.messageNotice(shown(event.from.name)), shown(event.text.slice(0, 200)), open);
  }
}

function say(title: string, body: string, open: () => void): void {
  const notice = new Notification(title, { body, icon: "/icon.svg", tag: title });
  notice.addEventListener("click", () => {
    window.focus();
    open();
  });
}
