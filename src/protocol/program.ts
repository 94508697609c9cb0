/** This program's version, the same as in `package.json` (a test compares them). */
export const VERSION = "0.1.0";

/** What a program says of itself in a handshake. */
export const PROGRAM = `tukar/${VERSION}`;
