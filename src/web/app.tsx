import { useEffect, useState } from "preact/hooks";
import { Button } from "./parts/button.tsx";
import { useStore } from "./parts/context.ts";
import { Icon } from "./parts/icon.tsx";
import { ChatView } from "./views/chat/chat-view.tsx";
import { FilesView } from "./views/files/files-view.tsx";
import { SearchView } from "./views/search/search-view.tsx";
import { SendingView } from "./views/sending/sending-view.tsx";
import { SettingsView } from "./views/settings/settings-view.tsx";
import { SharesView } from "./views/shares/shares-view.tsx";
import { Sidebar } from "./views/sidebar.tsx";
import { TransfersView } from "./views/transfers/transfers-view.tsx";

/** The whole page: the sidebar, and one of the views. */
export function App() {
  const { router, language } = useStore();
  const { texts } = language;
  const [menu, setMenu] = useState(false);
  useSearchKey();
  return (
    <div class={menu ? "app menu-open" : "app"}>
      <button type="button" class="skip" onClick={() => document.getElementById("content")?.focus()}>
        {texts.skip}
      </button>
      <div class="top-bar">
        <Button kind="quiet" icon={menu ? "close" : "menu"} label={texts.menu} onClick={() => setMenu(!menu)} />
        <strong>{texts.appName}</strong>
        <Button
          kind="quiet"
          icon="search"
          label={texts.search}
          onClick={() => router.go({ view: "search", query: {} })}
        />
      </div>
      <aside aria-label={texts.menu}>
        <Sidebar onGo={() => setMenu(false)} />
      </aside>
      <main id="content" tabIndex={-1}>
        <ConnectionBanner />
        <View />
      </main>
      <Notes />
    </div>
  );
}

function View() {
  const route = useStore().router.route.value;
  switch (route.view) {
    case "files":
      return <FilesView peer={route.peer} path={route.path} />;
    case "search":
      return <SearchView query={route.query} />;
    case "chat":
      return <ChatView key={route.peer} peer={route.peer} />;
    case "transfers":
      return <TransfersView />;
    case "sending":
      return <SendingView />;
    case "shares":
      return <SharesView />;
    case "settings":
      return <SettingsView />;
    default:
      return route satisfies never;
  }
}

function ConnectionBanner() {
  const { connection, language } = useStore();
  const { texts } = language;
  if (connection.value !== "lost" && connection.value !== "denied") return null;
  return (
    <p class="banner red" role="alert">
      <Icon name="warning" />
      {connection.value === "lost" ? texts.connectionLost : texts.connectionDenied}
    </p>
  );
}

function Notes() {
  const { notes } = useStore();
  return (
    <div class="notes" role="status" aria-live="polite">
      {notes.value.map(({ id, kind, text }) => (
        <p key={id} class={`note ${kind}`}>
          <Icon name={kind === "done" ? "check" : "warning"} />
          <bdi>{text}</bdi>
        </p>
      ))}
    </div>
  );
}

/** `/` leads to the search from everywhere, but for where it is being typed. */
function useSearchKey(): void {
  const { router } = useStore();
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      const typing =
        event.target instanceof Element && event.target.closest("input, select, textarea, dialog") !== null;
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      router.go({ view: "search", query: {} });
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
}
