import { type Signal, signal } from "@preact/signals";

/** Where in the page somebody is: all of it stands in the address, so that it can be bookmarked. */
export type Route =
  | { readonly view: "files"; readonly peer: string; readonly path: string }
  | { readonly view: "search"; readonly query: Readonly<Record<string, string>> }
  | { readonly view: "chat"; readonly peer: string }
  | { readonly view: "transfers" | "sending" | "shares" | "settings" };

const PLAIN = ["transfers", "sending", "shares", "settings"] as const;

export function hashOf(route: Route): string {
  if (route.view === "files") {
    const path = route.path === "" ? "" : `/${route.path.split("/").map(encodeURIComponent).join("/")}`;
    return `#/files/${route.peer}${path}`;
  }
  if (route.view === "chat") return route.peer === "" ? "#/chat" : `#/chat/${route.peer}`;
  if (route.view !== "search") return `#/${route.view}`;
  const query = new URLSearchParams(route.query).toString();
  return query === "" ? "#/search" : `#/search?${query}`;
}

function routeOf(hash: string): Route {
  const [, place = "", query = ""] = /^#\/([^?]*)(?:\?(.*))?$/.exec(hash) ?? [];
  const [view, peer, ...path] = place.split("/");
  const plain = PLAIN.find((name) => name === view);
  if (plain) return { view: plain };
  if (view === "chat") return { view, peer: peer ?? "" };
  if (view === "files" && peer) return { view, peer, path: path.map(decoded).join("/") };
  return { view: "search", query: Object.fromEntries(new URLSearchParams(query)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export type Router = {
  readonly route: Signal<Route>;
  go(route: Route): void;
  /** The same view with another query: no new entry in the browser's history. */
  replace(route: Route): void;
};

export function startRouter(): Router {
  const route = signal(routeOf(location.hash));
  addEventListener("hashchange", () => {
    route.value = routeOf(location.hash);
  });
  return {
    route,
    go(to) {
      location.hash = hashOf(to);
    },
    replace(to) {
      history.replaceState(null, "", hashOf(to));
      route.value = to;
    },
  };
}
