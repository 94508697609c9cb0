/** What text from strangers may not contain, and how it is shown all the same. */

/** C0 and C1 controls, DEL, line and paragraph separators. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** Embeddings, overrides and isolates that make text read in another order than it is stored (Unicode UAX #9). */
const BIDI_CONTROL = /[\u202a-\u202e\u2066-\u2069]/;
const EITHER = new RegExp(`${CONTROL.source}|${BIDI_CONTROL.source}`, "g");

/** Whether text holds control characters, bidirectional overrides or broken UTF-16. */
export function isHostileText(text: string): boolean {
  return CONTROL.test(text) || BIDI_CONTROL.test(text) || !text.isWellFormed();
}

/** The text as it may go to a terminal or a log: each hostile character becomes U+FFFD. */
export function printable(text: string): string {
  return text.toWellFormed().replace(EITHER, "\ufffd");
}
