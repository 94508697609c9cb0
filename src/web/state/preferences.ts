import { effect, type Signal, signal } from "@preact/signals";

export const THEMES = ["dark", "light", "system"] as const;
type Theme = (typeof THEMES)[number];

/** What is chosen in this browser alone. */
export type Preferences = { readonly theme: Signal<Theme>; readonly notify: Signal<boolean> };

export function loadPreferences(): Preferences {
  const theme = signal(THEMES.find((name) => name === localStorage.getItem("theme")) ?? "dark");
  const notify = signal(localStorage.getItem("notify") === "yes");
  const light = matchMedia("(prefers-color-scheme: light)");
  const show = (): void => {
    const shown = theme.value === "system" ? (light.matches ? "light" : "dark") : theme.value;
    document.documentElement.dataset["theme"] = shown;
  };
  effect(() => {
    localStorage.setItem("theme", theme.value);
    show();
  });
  light.addEventListener("change", show);
  effect(() => localStorage.setItem("notify", notify.value ? "yes" : "no"));
  addEventListener("storage", ({ key, newValue }) => {
    if (key === "theme") theme.value = THEMES.find((name) => name === newValue) ?? theme.value;
    if (key === "notify") notify.value = newValue === "yes";
  });
  return { theme, notify };
}
