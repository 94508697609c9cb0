import { watch } from "chokidar";

/** Watches the manifest and the single files that it names, whether they exist yet or not. */
export function startManifestWatch(manifest: string, onChange: () => void) {
  let named: ReadonlySet<string> = new Set();
  const watcher = watch(manifest, { ignoreInitial: true });
  watcher.on("all", onChange);
  // What cannot be watched is seen by the next periodic scan.
  watcher.on("error", () => undefined);

  return {
    /** Watches these files from now on, and none that were named before. */
    follow(paths: Iterable<string>): void {
      const wanted = new Set(paths);
      const left = [...named].filter((path) => !wanted.has(path));
      const fresh = [...wanted].filter((path) => !named.has(path) && path !== manifest);
      if (left.length > 0) watcher.unwatch(left);
      if (fresh.length > 0) watcher.add(fresh);
      named = wanted;
    },
    close: (): Promise<void> => watcher.close(),
  };
}
