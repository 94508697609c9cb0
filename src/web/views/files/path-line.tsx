import { useLanguage } from "../../parts/context.ts";
import { Name } from "../../parts/small.tsx";
import { baseName } from "../../show.ts";
import { hashOf } from "../../state/route.ts";

/** The way from the top to a folder, each step a link. */
export function PathLine({ peer, path }: { readonly peer: string; readonly path: string }) {
  const { texts } = useLanguage();
  const parts = path === "" ? [] : path.split("/");
  const steps = parts.map((_, at) => parts.slice(0, at + 1).join("/"));
  return (
    <nav class="path-line" aria-label={texts.path}>
      <a href={hashOf({ view: "files", peer, path: "" })}>{texts.top}</a>
      {steps.map((step) => (
        <span key={step}>
          <span aria-hidden="true" class="slash">
            /
          </span>
          <a href={hashOf({ view: "files", peer, path: step })} aria-current={step === path ? "page" : undefined}>
            <Name text={baseName(step)} />
          </a>
        </span>
      ))}
    </nav>
  );
}
