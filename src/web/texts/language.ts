import { createFormats, type Formats } from "../show.ts";
import { en, type Texts } from "./en.ts";
import { id } from "./id.ts";
import { pt } from "./pt.ts";

/** Texts and formats of one language. */
export type Language = { readonly code: string; readonly texts: Texts; readonly formats: Formats };

const CATALOGUES: Readonly<Record<string, Texts>> = { en, id, pt };

/** The first language that the browser prefers and the page has. */
export function languageOf(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const code = tag.toLowerCase().split("-")[0] ?? "";
    const texts = Object.hasOwn(CATALOGUES, code) ? CATALOGUES[code] : undefined;
    if (texts) return { code, texts, formats: createFormats(tag) };
  }
  return { code: "en", texts: en, formats: createFormats("en") };
}
