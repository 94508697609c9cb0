import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon.tsx";

type ButtonProps = {
  readonly onClick: () => void;
  readonly icon?: IconName;
  readonly kind?: "plain" | "strong" | "quiet" | "danger";
  readonly disabled?: boolean;
  /** Only the icon is shown, and this is said of it. */
  readonly label?: string;
  readonly children?: ComponentChildren;
};

export function Button({ onClick, icon, kind = "plain", disabled = false, label, children }: ButtonProps) {
  return (
    <button
      type="button"
      class={`button ${kind}`}
      disabled={disabled}
      aria-label={label}
      title={label}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
