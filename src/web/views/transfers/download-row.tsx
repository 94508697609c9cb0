import type { Download, Priority } from "../../../protocol/downloads.ts";
import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { Icon } from "../../parts/icon.tsx";
import { Name, Progress } from "../../parts/small.tsx";
import { baseName, shown } from "../../show.ts";

type DownloadRowProps = {
  readonly download: Download;
  readonly onChange: (work: () => Promise<unknown>) => void;
};

const PRIORITIES: readonly Priority[] = ["high", "normal", "low"];

/** One wish in the queue: how far it is, and what can be done with it. */
export function DownloadRow({ download, onChange }: DownloadRowProps) {
  const { api, language } = useStore();
  const { texts, formats } = language;
  const { id, state, names, bytes, total, peer, priority } = download;
  const name = shown(baseName(download.name));
  const which = [id];
  const act = (action: "pause" | "resume" | "cancel" | "retry") => () =>
    onChange(() => api.changeDownloads({ action, which }));
  const hasEnded = state === "done" || state === "failed" || state === "cancelled";
  return (
    <li class={`card ${state}`}>
      <div class="card-main">
        <strong class="card-title">
          <Icon name={download.recursive && names === 1 && download.content === null ? "folder" : "file"} />
          <bdi>{names > 1 ? texts.andMore(name, names - 1) : name}</bdi>
        </strong>
        <span class="muted">{peer ? texts.fromPeer(shown(peer.name)) : texts.fromAnybody}</span>
        <span class={`state ${state}`}>{texts.states[state]}</span>
      </div>
      {!hasEnded && <Progress bytes={bytes} total={total} label={name} />}
      <div class="card-foot">
        <span class="muted">
          {formats.size(bytes)}
          {total !== null && ` / ${formats.size(total)}`}
          {total !== null && !hasEnded && ` · ${formats.percent(bytes, total)} %`}
          <More download={download} />
        </span>
        <span class="actions">
          {!hasEnded && (
            <select
              aria-label={`${texts.priority}: ${name}`}
              value={priority}
              onChange={({ currentTarget }) =>
                onChange(() =>
                  api.changeDownloads({ action: "priority", which, priority: currentTarget.value as Priority }),
                )
              }
            >
              {PRIORITIES.map((one) => (
                <option key={one} value={one}>
                  {texts.priorities[one]}
                </option>
              ))}
            </select>
          )}
          {state === "paused" && (
            <Button kind="quiet" icon="play" label={`${texts.resume}: ${name}`} onClick={act("resume")} />
          )}
          {(state === "queued" || state === "running" || state === "waiting") && (
            <Button kind="quiet" icon="pause" label={`${texts.pause}: ${name}`} onClick={act("pause")} />
          )}
          {(state === "failed" || state === "cancelled" || state === "waiting") && (
            <Button kind="quiet" icon="retry" label={`${texts.retry}: ${name}`} onClick={act("retry")} />
          )}
          {!hasEnded && <Button kind="quiet" icon="close" label={`${texts.cancel}: ${name}`} onClick={act("cancel")} />}
        </span>
      </div>
    </li>
  );
}

/** What only some states have to tell. */
function More({ download }: { readonly download: Download }) {
  const { texts, formats } = useStore().language;
  switch (download.state) {
    case "running":
      return (
        <>
          {download.rate !== null && ` · ${formats.rate(download.rate)}`}
          {download.left !== null && ` · ${texts.timeLeft(formats.duration(download.left))}`}
        </>
      );
    case "waiting":
      return (
        <>
          {" · "}
          <Name text={download.reason} /> · {texts.retryAt(formats.time(download.retry))}
        </>
      );
    case "failed":
      return (
        <>
          {" · "}
          <Name text={download.reason} />
        </>
      );
    default:
      return null;
  }
}
