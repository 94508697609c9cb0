import { render } from "preact";
import { createApi } from "./api/api.ts";
import { App } from "./app.tsx";
import { StoreContext } from "./parts/context.ts";
import { stayLive } from "./state/live.ts";
import { loadPreferences } from "./state/preferences.ts";
import { startRouter } from "./state/route.ts";
import { createStore } from "./state/store.ts";
import "./styles/page.css";
import { languageOf } from "./texts/language.ts";

const place = document.getElementById("app");
if (!place) throw new Error("The page has no place for the app");

const language = languageOf(navigator.languages);
document.documentElement.lang = language.code;
const store = createStore({
  api: createApi(),
  router: startRouter(),
  language,
  preferences: loadPreferences(),
});
render(
  <StoreContext.Provider value={store}>
    <App />
  </StoreContext.Provider>,
  place,
);
stayLive(store);
