/** How people type this program where it runs: npm says so itself when it starts something, as it does in a checkout. */
export function calledAs(env: Readonly<Record<string, string | undefined>>): string {
  return env["npm_command"] === undefined ? "tukar" : "npx tukar";
}
