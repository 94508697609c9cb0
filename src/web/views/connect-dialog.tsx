import { useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";
import { useStore } from "../parts/context.ts";
import { Dialog } from "../parts/dialog.tsx";
import { shown } from "../show.ts";

type Outcome = { readonly kind: "none" | "busy" | "done" | "failed"; readonly text: string };

const NOTHING: Outcome = { kind: "none", text: "" };

/** Links with a peer whose address is known. */
export function ConnectDialog({ onClose }: { readonly onClose: () => void }) {
  const { api, peers, language } = useStore();
  const { texts } = language;
  const [address, setAddress] = useState("");
  const [outcome, setOutcome] = useState(NOTHING);
  const connect = async (): Promise<void> => {
    if (address.trim() === "" || outcome.kind === "busy") return;
    setOutcome({ kind: "busy", text: texts.connecting });
    try {
      const { name } = await api.connect(address.trim());
      setOutcome({ kind: "done", text: texts.connectedTo(shown(name)) });
      peers.replace(await api.peers());
    } catch (error) {
      setOutcome({ kind: "failed", text: error instanceof Error && error.message ? error.message : texts.failed });
    }
  };
  return (
    <Dialog title={texts.connectPeer} onClose={onClose}>
      <p>{texts.connectText}</p>
      <form
        class="toolbar"
        onSubmit={(event) => {
          event.preventDefault();
          void connect();
        }}
      >
        <input
          ref={(input) => input?.setAttribute("autofocus", "")}
          class="grow"
          value={address}
          maxLength={300}
          autoComplete="off"
          spellcheck={false}
          placeholder={texts.connectAddress}
          aria-label={texts.connectAddress}
          onInput={({ currentTarget }) => setAddress(currentTarget.value)}
        />
        <Button kind="strong" disabled={outcome.kind === "busy"} onClick={() => void connect()}>
          {texts.connect}
        </Button>
      </form>
      <p role="status" class={`outcome ${outcome.kind}`}>
        <bdi>{shown(outcome.text)}</bdi>
      </p>
    </Dialog>
  );
}
