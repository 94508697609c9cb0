import type { ComponentChildren } from "preact";
import { shown } from "../show.ts";
import type { Presence } from "../state/peers.ts";
import { Button } from "./button.tsx";
import { useLanguage, useStore } from "./context.ts";
import { Icon, type IconName } from "./icon.tsx";

/** A name that somebody else chose: nothing in it changes the direction or the order of the text around it. */
export function Name({ text }: { readonly text: string }) {
  return <bdi>{shown(text)}</bdi>;
}

export function Dot({ presence }: { readonly presence: Presence }) {
  const { texts } = useLanguage();
  const said = presence === "online" ? texts.online : presence === "gone" ? texts.gone : texts.unreachable;
  return <span class={`dot ${presence}`} role="img" aria-label={said} title={said} />;
}

export function Empty({ icon, children }: { readonly icon: IconName; readonly children: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p>{children}</p>
    </div>
  );
}

export function Progress({
  bytes,
  total,
  label,
}: {
  readonly bytes: number;
  readonly total: number | null;
  readonly label: string;
}) {
  return total === null ? (
    <progress aria-label={label} />
  ) : (
    <progress aria-label={label} value={bytes} max={Math.max(1, total)} />
  );
}

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const { note, attempt, language } = useStore();
  const copy = (): void =>
    void attempt(async () => {
      await navigator.clipboard.writeText(text);
      note("done", language.texts.copied);
    });
  return (
    <Button icon="copy" onClick={copy}>
      {label}
    </Button>
  );
}
