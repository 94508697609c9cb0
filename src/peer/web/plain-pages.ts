import type { ServerResponse } from "node:http";
import { plainPagePolicy } from "./page-headers.ts";

/** Pages that the server answers by itself, with no script. Nothing in them comes from anybody else. */

const STYLE = `
  :root { color-scheme: dark light; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 34rem; margin: 15vh auto 0; padding: 0 1rem; }
  input, button { font: inherit; padding: .5rem .75rem; }
  code { font-family: ui-monospace, monospace; }
  p[role=alert] { color: #e5484d; font-weight: 600; }
`;

const UNKNOWN = `<h1>This page is for its owner</h1>
<p>Open the address that tukar printed when it started. It ends with <code>?token=...</code>, and
<code>tukar info</code> prints it again.</p>`;

const NOT_BUILT = `<h1>The page is not built yet</h1>
<p>tukar runs, and only its page is missing. Build it once, in the folder that holds tukar:</p>
<p><code>npm run build:web</code></p>
<p>Then load this page again.</p>`;

export type PlainPage = "unknown" | "not-built" | "log-in" | "wrong-password" | "wait";

export function answerPlainPage(response: ServerResponse, page: PlainPage): void {
  const { status, body } = contentOf(page);
  response.setHeader("content-security-policy", plainPagePolicy(STYLE));
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" });
  response.end(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>tukar</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style></head>
<body><main>${body}</main></body></html>
`);
}

function contentOf(page: PlainPage): { readonly status: number; readonly body: string } {
  switch (page) {
    case "unknown":
      return { status: 401, body: UNKNOWN };
    case "not-built":
      return { status: 503, body: NOT_BUILT };
    case "log-in":
      return { status: 401, body: logIn("") };
    case "wrong-password":
      return { status: 403, body: logIn('<p role="alert">That is not the password.</p>') };
    case "wait":
      return { status: 429, body: logIn('<p role="alert">Too many wrong passwords: wait a little.</p>') };
    default:
      return page satisfies never;
  }
}

function logIn(note: string): string {
  return `<h1>tukar</h1>${note}
<form method="post" action="/login"><p><label>Password<br>
<input type="password" name="password" autocomplete="current-password" required autofocus></label></p>
<p><button>Log in</button></p></form>`;
}
