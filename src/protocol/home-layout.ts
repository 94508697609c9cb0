/** Names inside the home folder that more than one part of the program reads. */
export const HOME_FILES = {
  /** Key and certificate of the peer. */
  peerIdentity: "identity.pem",
  /** Key and certificate of the index server, if one ran here. */
  indexIdentity: "index-identity.pem",
  /** The invite of the network last joined, or of the index server last started here. */
  network: "network",
  /** The queue and the history of downloads. */
  downloads: "downloads.sqlite",
  /** What is offered to others and by others, and who is known. */
  offers: "offers.sqlite",
  /** What was said. */
  chat: "chat.sqlite",
  /** Folder with a lock of each process that fetches. */
  runners: "runners",
  /** The token of the page, and where it was. */
  page: "page.json",
  /** What was changed in the settings, for the next start. */
  settings: "settings.json",
  /** Folder with what was dropped on the page to be sent. */
  drops: "drops",
} as const;
