import { useRef, useState } from "preact/hooks";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { DropZone } from "../../parts/drop-zone.tsx";
import { Icon } from "../../parts/icon.tsx";
import { shown } from "../../show.ts";
import { chosenFiles } from "../../state/dropped-files.ts";

const EVERYONE = "*";

/** Picks a receiver, and takes the files by dropping or choosing. */
export function SendForm() {
  const { peers, outgoing, language } = useStore();
  const { texts } = language;
  const [receiver, setReceiver] = useState("");
  const [files, folder] = [useRef<HTMLInputElement>(null), useRef<HTMLInputElement>(null)];
  const others = peers.list.value.filter(({ self }) => !self);
  const first = others.find(({ presence }) => presence === "online")?.id ?? others[0]?.id ?? EVERYONE;
  const chosen = receiver === EVERYONE || peers.find(receiver) ? receiver : first;
  const to = chosen === EVERYONE ? texts.everyone : shown(peers.nameOf(chosen) ?? "");
  const peer = chosen === EVERYONE ? null : chosen;
  const send = (input: HTMLInputElement): void => {
    if (input.files) void outgoing.send(peer, to, chosenFiles(input.files));
    input.value = "";
  };
  return (
    <DropZone peer={peer} to={to} className="drop-zone">
      <Icon name="upload" />
      <p>{texts.dropHere}</p>
      <div class="actions">
        <label>
          {texts.sendTo}{" "}
          <select value={chosen} onChange={({ currentTarget }) => setReceiver(currentTarget.value)}>
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                {shown(name)}
              </option>
            ))}
            <option value={EVERYONE}>{texts.everyone}</option>
          </select>
        </label>
        <Button kind="strong" onClick={() => files.current?.click()}>
          {texts.chooseFiles}
        </Button>
        <Button onClick={() => folder.current?.click()}>{texts.chooseFolder}</Button>
      </div>
      <input
        ref={files}
        class="hidden"
        type="file"
        multiple
        tabIndex={-1}
        aria-label={texts.chooseFiles}
        onChange={({ currentTarget }) => send(currentTarget)}
      />
      <input
        ref={(input) => {
          folder.current = input;
          input?.setAttribute("webkitdirectory", "");
        }}
        class="hidden"
        type="file"
        multiple
        tabIndex={-1}
        aria-label={texts.chooseFolder}
        onChange={({ currentTarget }) => send(currentTarget)}
      />
      <p class="muted small">{texts.sendNote}</p>
    </DropZone>
  );
}
