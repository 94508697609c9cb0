import { useEffect, useState } from "preact/hooks";
import { contentUrl } from "../api/api.ts";
import { baseName, shown } from "../show.ts";
import { Button } from "./button.tsx";
import { useLanguage } from "./context.ts";
import { Dialog } from "./dialog.tsx";
import { Empty } from "./small.tsx";

type PreviewFile = {
  readonly peer: string;
  readonly path: string;
  readonly type: string;
  readonly size: number;
};

type PreviewProps = {
  readonly file: PreviewFile;
  readonly onClose: () => void;
  readonly onDownload: () => void;
  /** The file before or after it, if there is one. */
  readonly onStep: ((by: -1 | 1) => void) | undefined;
};

const TEXT_BYTES = 256 * 1024;
const TEXT = /^(?:text\/|application\/(?:json|xml|javascript|x-sh|yaml|toml|sql|x-yaml)$|.*\+(?:json|xml)$)/;
const TEXT_NAMES = /(?:^|\/)(?:readme|licen[cs]e|makefile|dockerfile|[^/]*\.(?:log|ini|conf|cfg|md|csv|srt|nfo))$/i;

/** A file of somebody else to look at, before it is downloaded. */
export function Preview({ file, onClose, onDownload, onStep }: PreviewProps) {
  const { texts, formats } = useLanguage();
  const name = shown(baseName(file.path));
  useArrows(onStep);
  return (
    <Dialog title={name} wide onClose={onClose}>
      <div class="preview">
        <Shown key={`${file.peer}/${file.path}`} file={file} name={name} />
      </div>
      <footer class="dialog-actions">
        <span class="muted">
          {formats.size(file.size)} · {texts.previewNote}
        </span>
        {onStep && (
          <Button kind="quiet" onClick={() => onStep(-1)}>
            {texts.previous}
          </Button>
        )}
        {onStep && (
          <Button kind="quiet" onClick={() => onStep(1)}>
            {texts.next}
          </Button>
        )}
        <a class="button plain" href={contentUrl(file.peer, file.path, true)} download={name}>
          {texts.saveHere}
        </a>
        <Button kind="strong" icon="download" onClick={onDownload}>
          {texts.download}
        </Button>
      </footer>
    </Dialog>
  );
}

/** Left and right lead to the next file, but for where they wind a film. */
function useArrows(onStep: PreviewProps["onStep"]): void {
  useEffect(() => {
    const key = ({ key, target }: KeyboardEvent): void => {
      if (target instanceof HTMLMediaElement) return;
      if (key === "ArrowLeft") onStep?.(-1);
      if (key === "ArrowRight") onStep?.(1);
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [onStep]);
}

function Shown({ file, name }: { readonly file: PreviewFile; readonly name: string }) {
  const { texts } = useLanguage();
  const [failed, setFailed] = useState(false);
  const url = contentUrl(file.peer, file.path);
  const fail = (): void => setFailed(true);
  const kind = file.type.split("/")[0];
  if (failed) return <Empty icon="warning">{texts.previewFailed}</Empty>;
  if (kind === "image") return <img src={url} alt={name} onError={fail} />;
  // biome-ignore lint/a11y/useMediaCaption: what others share seldom has any
  if (kind === "audio") return <audio src={url} controls autoplay aria-label={name} onError={fail} />;
  // biome-ignore lint/a11y/useMediaCaption: what others share seldom has any
  if (kind === "video") return <video src={url} controls autoplay playsInline aria-label={name} onError={fail} />;
  if (file.type === "application/pdf") return <iframe src={url} title={name} />;
  if (TEXT.test(file.type) || TEXT_NAMES.test(file.path)) return <TextShown url={url} file={file} name={name} />;
  return <Empty icon="eye">{texts.noPreview}</Empty>;
}

function TextShown({ url, file, name }: { readonly url: string; readonly file: PreviewFile; readonly name: string }) {
  const { texts, formats } = useLanguage();
  const [text, setText] = useState<string | undefined>(undefined);
  useEffect(() => {
    const controller = new AbortController();
    const headers = file.size > TEXT_BYTES ? { range: `bytes=0-${TEXT_BYTES - 1}` } : {};
    fetch(url, { headers, signal: controller.signal })
      .then((response) => (response.ok ? response.text() : Promise.reject(new Error(response.statusText))))
      .then(setText)
      .catch(() => controller.signal.aborted || setText(texts.previewFailed));
    return () => controller.abort();
  }, [url]);
  return (
    <>
      {file.size > TEXT_BYTES && <p class="muted">{texts.previewCut(formats.size(TEXT_BYTES))}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with the keyboard */}
      <section class="text" tabIndex={0} aria-label={name}>
        <pre dir="auto">{text === undefined ? texts.loading : text.replaceAll("\0", "\ufffd")}</pre>
      </section>
    </>
  );
}
