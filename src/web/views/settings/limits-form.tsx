import { useState } from "preact/hooks";
import type { LimitsChange } from "../../../protocol/control-api.ts";
import { useStore } from "../../parts/context.ts";
import { sizeIn } from "../../show.ts";

type LimitsFormProps = { readonly limits: LimitsChange; readonly onChange: (limits: LimitsChange) => void };

/** What transfers are kept within; empty is no limit. */
export function LimitsForm({ limits, onChange }: LimitsFormProps) {
  const { note, language } = useStore();
  const { texts } = language;
  const [up, setUp] = useState(textOf(limits.up));
  const [down, setDown] = useState(textOf(limits.down));
  const [slots, setSlots] = useState(limits.slots ? String(limits.slots) : "");
  return (
    <fieldset>
      <legend>{texts.limits}</legend>
      <form
        class="setting"
        onSubmit={(event) => {
          event.preventDefault();
          const [upBytes, downBytes] = [up, down].map((text) => (text.trim() === "" ? 0 : sizeIn(text)));
          if (upBytes === undefined || downBytes === undefined) return note("failed", texts.wrongSize);
          onChange({ up: upBytes, down: downBytes, slots: Number(slots) || 0 });
        }}
      >
        <label>
          {texts.upLimit}
          <input value={up} placeholder={texts.noLimit} onInput={({ currentTarget }) => setUp(currentTarget.value)} />
        </label>
        <label>
          {texts.downLimit}
          <input
            value={down}
            placeholder={texts.noLimit}
            onInput={({ currentTarget }) => setDown(currentTarget.value)}
          />
        </label>
        <label>
          {texts.slots}
          <input
            type="number"
            min={0}
            max={100_000}
            value={slots}
            placeholder={texts.noLimit}
            onInput={({ currentTarget }) => setSlots(currentTarget.value)}
          />
        </label>
        <button type="submit" class="button plain">
          {texts.save}
        </button>
        <span class="muted small">{texts.limitHint}</span>
      </form>
    </fieldset>
  );
}

/** Bytes as people type them: what is a round number of units gets the unit. */
function textOf(bytes: number | null): string {
  if (!bytes) return "";
  if (bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}M`;
  return bytes % 1024 === 0 ? `${bytes / 1024}k` : String(bytes);
}
