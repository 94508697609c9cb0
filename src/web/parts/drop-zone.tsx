import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { droppedFiles } from "../state/dropped-files.ts";
import { useStore } from "./context.ts";

type DropZoneProps = {
  /** Who gets what is dropped; `null` is everybody. */
  readonly peer: string | null;
  readonly to: string;
  readonly className: string;
  readonly children: ComponentChildren;
};

/** Files that are dropped here are offered to somebody. The same can be done with a button, so it needs no keys. */
export function DropZone({ peer, to, className, children }: DropZoneProps) {
  const { outgoing, attempt, router } = useStore();
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only a mouse can drop, and buttons do the same
    <div
      class={over ? `${className} over` : className}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        const data = event.dataTransfer;
        if (!data) return;
        event.preventDefault();
        const files = droppedFiles(data);
        router.go({ view: "sending" });
        void attempt(async () => outgoing.send(peer, to, await files));
      }}
    >
      {children}
    </div>
  );
}
