import { urlOf } from "./api.ts";
import { ApiFailure } from "./lines.ts";

/** Brings a file to the peer. Not with `fetch`, which tells nobody how far it is. */
export function putFile(
  drop: string,
  path: string,
  file: File,
  { onProgress, signal }: { readonly onProgress: (bytes: number) => void; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    signal.addEventListener("abort", abort, { once: true });
    request.upload.addEventListener("progress", ({ loaded }) => onProgress(loaded));
    request.addEventListener("loadend", () => {
      signal.removeEventListener("abort", abort);
      if (request.status === 200) return resolve();
      if (signal.aborted) return reject(signal.reason);
      reject(failureIn(request.responseText));
    });
    request.open("PUT", urlOf("/api/drops/file", { drop, path }));
    request.send(file);
  });
}

function failureIn(text: string): ApiFailure {
  try {
    const { code, message } = JSON.parse(text) as { readonly code: string; readonly message: string };
    return new ApiFailure(code, message);
  } catch {
    return new ApiFailure("offline", "");
  }
}
