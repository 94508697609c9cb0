import { Button } from "../../parts/button.tsx";
import { useStore } from "../../parts/context.ts";
import { RateGraph } from "../../parts/rate-graph.tsx";
import { Empty } from "../../parts/small.tsx";
import { DownloadRow } from "./download-row.tsx";
import { History } from "./history.tsx";
import { ServingList } from "./serving-list.tsx";

const ENDED: readonly string[] = ["done", "failed", "cancelled"];

/** What comes and what goes. */
export function TransfersView() {
  const { api, attempt, refresh, downloads, language } = useStore();
  const { texts } = language;
  const list = downloads.value
    .toReversed()
    .toSorted((a, b) => Number(ENDED.includes(a.state)) - Number(ENDED.includes(b.state)));
  const change = (work: () => Promise<unknown>): void =>
    void attempt(async () => {
      await work();
      await refresh(true);
    });
  const alive = list.filter(({ state }) => !ENDED.includes(state));
  return (
    <section class="view scrolls" aria-label={texts.transfers}>
      <header class="view-head">
        <h1>{texts.transfers}</h1>
        <span class="spacer" />
        {alive.some(({ state }) => state !== "paused") && (
          <Button icon="pause" onClick={() => change(() => api.changeDownloads({ action: "pause", which: "all" }))}>
            {texts.pauseAll}
          </Button>
        )}
        {alive.some(({ state }) => state === "paused") && (
          <Button icon="play" onClick={() => change(() => api.changeDownloads({ action: "resume", which: "all" }))}>
            {texts.resumeAll}
          </Button>
        )}
        {alive.length < list.length && (
          <Button icon="check" onClick={() => change(() => api.changeDownloads({ action: "clear" }))}>
            {texts.clearEnded}
          </Button>
        )}
      </header>
      <RateGraph />
      <h2>{texts.downloads}</h2>
      {list.length === 0 && <Empty icon="download">{texts.noDownloads}</Empty>}
      <ul class="cards">
        {list.map((download) => (
          <DownloadRow key={download.id} download={download} onChange={change} />
        ))}
      </ul>
      <h2>{texts.uploads}</h2>
      <ServingList />
      <History />
    </section>
  );
}
