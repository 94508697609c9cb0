import { useStore } from "../../parts/context.ts";
import { THEMES } from "../../state/preferences.ts";

/** What is chosen for this browser alone. */
export function Appearance() {
  const { preferences, note, language } = useStore();
  const { texts } = language;
  const { theme, notify } = preferences;
  async function setNotify(wanted: boolean): Promise<void> {
    const may = wanted && (await Notification.requestPermission()) === "granted";
    if (wanted && !may) note("failed", texts.notifyDenied);
    notify.value = may;
  }
  return (
    <fieldset>
      <legend>{texts.appearance}</legend>
      <div class="check-row" role="radiogroup" aria-label={texts.theme}>
        {THEMES.map((name) => (
          <label key={name} class="check">
            <input
              type="radio"
              name="theme"
              checked={theme.value === name}
              onChange={() => {
                theme.value = name;
              }}
            />
            {texts.themes[name]}
          </label>
        ))}
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={notify.value}
          onChange={({ currentTarget }) => void setNotify(currentTarget.checked)}
        />
        {texts.notifications}
      </label>
    </fieldset>
  );
}
