/** Line icons on a grid of 24, drawn here so that nothing is fetched. */
const PATHS = {
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm5 12 4 4",
  transfers: "M7 4v14m0 0-4-4m4 4 4-4M17 20V6m0 0-4 4m4-4 4 4",
  send: "M4 12 20 4l-5 16-4-7z",
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  shares: "M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zm9 3v6m-3-3h6",
  settings: "M4 7h10m4 0h2M4 17h2m4 0h10M16 5v4M8 15v4",
  folder: "M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  file: "M6 3h8l5 5v13H6zm8 0v5h5",
  image: "M4 5h16v14H4zm0 11 5-5 4 4 3-3 4 4M9 9h.01",
  audio: "M9 18V5l10-2v13M9 18a3 2 0 1 1-6 0 3 2 0 0 1 6 0zm10-2a3 2 0 1 1-6 0 3 2 0 0 1 6 0z",
  video: "M3 6h12v12H3zm12 4 6-3v10l-6-3z",
  download: "M12 4v11m0 0-5-5m5 5 5-5M5 20h14",
  upload: "M12 20V9m0 0-5 5m5-5 5 5M5 4h14",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7-10-7-10-7zm10-3a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  copy: "M9 9h11v11H9zM15 5V4H4v11h1",
  close: "M6 6l12 12M18 6 6 18",
  chevron: "m9 6 6 6-6 6",
  up: "M12 19V6m0 0-6 6m6-6 6 6",
  pause: "M8 5v14M16 5v14",
  play: "M7 5l12 7-12 7z",
  retry: "M4 12a8 8 0 1 1 3 6.2M4 12V7m0 5h5",
  trash: "M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13",
  plus: "M12 5v14M5 12h14",
  menu: "M4 7h16M4 12h16M4 17h16",
  check: "m5 12 5 5 9-10",
  users: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zm-6 9c0-4 3-6 6-6s6 2 6 6m1-9a3 3 0 1 0 0-6m5 15c0-3-2-5-4-5.5",
  qr: "M4 4h6v6H4zm10 0h6v6h-6zM4 14h6v6H4zm10 0h2v2h-2zm4 4h2v2h-2zm0-4h2m-6 6h2",
  warning: "M12 4 2.5 20h19zM12 10v5m0 2.5v.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The icon of a file by its media type. */
export function iconOf(type: string | null): IconName {
  if (type === null) return "folder";
  const kind = type.split("/")[0];
  return kind === "image" || kind === "audio" || kind === "video" ? kind : "file";
}
