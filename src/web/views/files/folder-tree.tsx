import { useState } from "preact/hooks";
import { useLanguage } from "../../parts/context.ts";
import { Icon } from "../../parts/icon.tsx";
import { Name } from "../../parts/small.tsx";
import { baseName, shown } from "../../show.ts";
import { hashOf } from "../../state/route.ts";
import { useListing } from "./use-listing.ts";

type BranchProps = { readonly peer: string; readonly path: string; readonly here: string };

/** More folders than that beside each other, or those after so many entries, are looked for in the list. */
const BRANCHES_MAX = 200;
const ENTRIES_MAX = 10_000;

/** The folders of a peer as a tree, each listed when it is opened. */
export function FolderTree({ peer, here }: { readonly peer: string; readonly here: string }) {
  const { texts } = useLanguage();
  return (
    <nav class="folder-tree" aria-label={texts.folders}>
      <a
        class="branch"
        href={hashOf({ view: "files", peer, path: "" })}
        aria-current={here === "" ? "page" : undefined}
      >
        <Icon name="folder" />
        {texts.top}
      </a>
      <Branches peer={peer} path="" here={here} />
    </nav>
  );
}

function Branches({ peer, path, here }: BranchProps) {
  const { entries } = useListing(peer, path, ENTRIES_MAX);
  const folders = entries.filter(({ kind }) => kind === "folder").slice(0, BRANCHES_MAX);
  if (folders.length === 0) return null;
  return (
    <ul>
      {folders.map((folder) => (
        <Branch key={folder.path} peer={peer} path={folder.path} here={here} />
      ))}
    </ul>
  );
}

function Branch({ peer, path, here }: BranchProps) {
  const leadsHere = here === path || here.startsWith(`${path}/`);
  const [opened, setOpened] = useState<boolean | undefined>(undefined);
  const isOpen = opened ?? leadsHere;
  return (
    <li>
      <span class="branch">
        <button
          type="button"
          class={isOpen ? "twist open" : "twist"}
          aria-expanded={isOpen}
          aria-label={shown(baseName(path))}
          onClick={() => setOpened(!isOpen)}
        >
          <Icon name="chevron" />
        </button>
        <a href={hashOf({ view: "files", peer, path })} aria-current={here === path ? "page" : undefined}>
          <Name text={baseName(path)} />
        </a>
      </span>
      {isOpen && <Branches peer={peer} path={path} here={here} />}
    </li>
  );
}
