import { useStore } from "../../parts/context.ts";
import { Incoming } from "./incoming.tsx";
import { Outbound } from "./outbound.tsx";
import { SendForm } from "./send-form.tsx";

/** What is pushed: by this peer and to it. */
export function SendingView() {
  const { texts } = useStore().language;
  return (
    <section class="view scrolls" aria-label={texts.sending}>
      <header class="view-head">
        <h1>{texts.sending}</h1>
      </header>
      <Incoming />
      <SendForm />
      <Outbound />
    </section>
  );
}
