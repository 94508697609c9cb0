import assert from "node:assert/strict";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import { get as getRequest, tlsClient } from "../../support/tls-client.ts";
import { untilHashed } from "../library/shared-folder.ts";
import { type Answer, linesOf, type ServedShare, serveShare } from "./served-share.ts";

const TIMEOUT = { timeout: 30_000 };
const SECRET = "this lies outside of every share";
const onWindows = process.platform === "win32";

/** Sends a request target byte by byte as it is, which no HTTP client would. */
async function sendRaw(t: Parameters<typeof tlsClient>[0], share: ServedShare, target: string): Promise<string> {
  const client = await tlsClient(t, { port: share.port, identity: share.member });
  client.socket.write(Buffer.from(getRequest(target, "Connection: close"), "latin1"));
  return client.toEnd();
}

const HOSTILE_TARGETS = [
  "/files/../secret.txt",
  "/files/../../secret.txt",
  "/files/sub/../../secret.txt",
  "/files/sub/../in.txt",
  "/files/./in.txt",
  "/files/%2e%2e/secret.txt",
  "/files/%2E%2E%2Fsecret.txt",
  "/files/..%2fsecret.txt",
  "/files/..%5csecret.txt",
  "/files/..\\secret.txt",
  "/files/sub%2Fdeep.txt",
  "/files/sub%5Cdeep.txt",
  "/files/sub\\deep.txt",
  "/files//in.txt",
  "/files/sub//deep.txt",
  "/files/in.txt/",
  "/files/sub/",
  "/files/sub",
  "/files/",
  "/files",
  "/files/%2Fetc%2Fpasswd",
  "/files//etc/passwd",
  "/files/etc/passwd",
  "/files/C:%5Csecret.txt",
  "/files/C:/secret.txt",
  "/files/c:in.txt",
  "/files/in.txt%00",
  "/files/in.txt%00.png",
  "/files/%00",
  "/files/in%0A.txt",
  "/files/in.txt%0d%0aX-Injected:%20yes",
  "/files/%e2%80%aein.txt",
  "/files/%ff%fe",
  "/files/%c0%ae%c0%ae/secret.txt",
  "/files/%",
  "/files/%2",
  "/files/%zz",
  "/files/%252e%252e/secret.txt",
  "/files/CON",
  "/files/.tukar/in.txt",
  "/files/in.txt#fragment",
  `/files/${"a/".repeat(64)}in.txt`,
  `/files/${"a".repeat(5000)}`,
  "//files/in.txt",
  "//host/files/in.txt",
  "//host/v1/about",
  "//v1/about",
  "/files/../v1/about",
  "/./v1/about",
  "/v1//about",
  "/v1/about/",
  "/v1/%61bout",
  "/V1/ABOUT",
  "/v1/files/..",
  "/v1/files?path=..",
  "/v1/files?path=../share",
  "/v1/files?path=/etc",
  "/v1/files?path=sub/../..",
  "/v1/files?path=sub%00",
  "/v1/files?path=C:%5C",
  "/v1/files?path=nowhere",
  "/v1/content/",
  "/v1/content/b3-00",
  "/v1/content/../files/in.txt",
  `/v1/content/b3-${"0".repeat(64)}`,
  `/v1/content/b3-${"0".repeat(64)}/blocks`,
  `/v1/content/b3-${"A".repeat(64)}`,
  "/v1/content/b3-00/blocks/more",
  "https://tukar/v1/about",
  "v1/about",
  "*",
  "/",
  "/constructor",
  "/__proto__",
  "/v1/__proto__",
  "/files/__proto__",
] as const;

test(
  "no request target but that of a shared file or a route is answered with more than an error",
  TIMEOUT,
  async (t) => {
    const share = await serveShare(t, { files: { "in.txt": "in", "sub/deep.txt": "deep" } });
    share.place.write("secret.txt", SECRET);
    for (const target of HOSTILE_TARGETS) {
      const answer = await sendRaw(t, share, target);
      assert.match(answer, /^HTTP\/1\.1 (?:400|404) /, target);
      assert.ok(!answer.includes(SECRET), target);
      assert.doesNotMatch(answer, /^X-Injected/im, target);
      assert.ok(!answer.includes(share.place.at()), `${target} tells a local path`);
    }
  },
);

for (const [what, target] of [
  ["a control character", "/files/in\x01.txt"],
  ["a line feed", "/files/in\n.txt"],
  ["a carriage return", "/files/in\r.txt"],
  ["NUL", "/files/in.txt\0"],
  ["DEL", "/files/\x7f"],
  ["a blank", "/files/in .txt"],
] as const) {
  test(`${what} in a request target is no HTTP`, TIMEOUT, async (t) => {
    const share = await serveShare(t, { files: { "in.txt": "in" } });
    assert.match(await sendRaw(t, share, target), /^HTTP\/1\.1 400 /);
  });
}

test("whatever stands behind /files/, only what is shared is served", { timeout: 60_000 }, async (t) => {
  const share = await serveShare(t, { files: { "in.txt": "in", "sub/deep.txt": "deep" } });
  share.place.write("secret.txt", SECRET);
  const part = fc.constantFrom(
    "..",
    ".",
    "",
    "sub",
    "in.txt",
    "secret.txt",
    "share",
    "%2e%2e",
    "%2F",
    "%5C",
    "\\",
    "%00",
  );
  const targets = fc.array(part, { maxLength: 6 }).map((parts) => `/files/${parts.join("/")}`);
  await fc.assert(
    fc.asyncProperty(targets, async (target) => {
      const { status, body } = await share.get(target);
      if (status === 200) assert.ok(["/files/in.txt", "/files/sub/deep.txt"].includes(target), target);
      else assert.ok(status === 404 || status === 400, `${target} ${status}`);
      assert.ok(!body.includes(SECRET));
    }),
    { numRuns: 150 },
  );
});

test("links that lead out of the share are not served, whenever they came to be", {
  ...TIMEOUT,
  skip: onWindows,
}, async (t) => {
  const { place, library, get } = await serveShare(t, {
    files: { "in.txt": "in", "turned.txt": "was honest", "folder/same.txt": "honest", "kept/same.txt": "honest" },
  });
  place.write("outside/secret.txt", SECRET);
  place.write("outside/same.txt", SECRET);
  await symlink(place.at("outside/secret.txt"), place.at("share/before.txt"));
  await symlink(place.at("outside"), place.at("share/way-out"));
  await symlink("../outside/secret.txt", place.at("share/relative.txt"));
  await symlink(place.at("share/in.txt"), place.at("share/inside.txt"));
  await untilHashed(library);

  async function refused(target: string): Promise<void> {
    const answer = await get(target);
    assert.equal(answer.status, 404, target);
    assert.ok(!answer.body.includes(SECRET), target);
  }
  for (const target of ["/files/before.txt", "/files/way-out/secret.txt", "/files/relative.txt"]) await refused(target);

  await rm(place.at("share/turned.txt"));
  await symlink(place.at("outside/secret.txt"), place.at("share/turned.txt"));
  await refused("/files/turned.txt");

  await rename(place.at("share/folder"), place.at("aside"));
  await symlink(place.at("outside"), place.at("share/folder"));
  await refused("/files/folder/same.txt");

  await rm(place.at("share/kept/same.txt"));
  await mkdir(place.at("share/kept/same.txt"));
  await refused("/files/kept/same.txt");
  assert.equal((await get("/files/in.txt")).body.toString(), "in");
});

test("content that only a link to the outside would still hold is not served", {
  ...TIMEOUT,
  skip: onWindows,
}, async (t) => {
  const { place, library, get } = await serveShare(t, { files: { "a.txt": SECRET } });
  const meant = library.resolve("a.txt");
  const content = meant && "found" in meant ? meant.found.content : null;
  assert.ok(content);
  assert.equal((await get(`/v1/content/${content}`)).status, 200);
  place.write("outside.txt", SECRET);
  await rm(place.at("share/a.txt"));
  await symlink(place.at("outside.txt"), place.at("share/a.txt"));
  assert.equal((await get(`/v1/content/${content}`)).status, 404);
});

test("a fifo in the place of a file keeps nobody waiting", { ...TIMEOUT, skip: onWindows }, async (t) => {
  const { place, get } = await serveShare(t, { files: { "a.txt": "a" } });
  const { execFileSync } = await import("node:child_process");
  await rm(place.at("share/a.txt"));
  execFileSync("mkfifo", [place.at("share/a.txt")]);
  assert.equal((await get("/files/a.txt")).status, 404);
});

test("a folder is listed one level deep, or with all files below it", TIMEOUT, async (t) => {
  const { place, library, get } = await serveShare(t, {
    files: { "b.txt": "b", "a/one.txt": "1", "a/x/two.txt": "22", "z.bin": "" },
  });
  await writeFile(place.at("share/.hidden"), "hidden");
  await untilHashed(library);
  const paths = (answer: Answer) => linesOf(answer).map((line) => (line as { readonly path: string }).path);

  const top = await get("/v1/files");
  assert.equal(top.headers["content-type"], "application/x-ndjson");
  assert.deepEqual(paths(top), ["a", "b.txt", "z.bin"]);
  assert.deepEqual(paths(await get("/v1/files?path=&recursive=false")), ["a", "b.txt", "z.bin"]);
  assert.deepEqual(paths(await get("/v1/files?recursive=true")), ["a/one.txt", "a/x/two.txt", "b.txt", "z.bin"]);
  assert.deepEqual(paths(await get("/v1/files?path=a")), ["a/one.txt", "a/x"]);
  assert.deepEqual(paths(await get("/v1/files?path=a&recursive=true")), ["a/one.txt", "a/x/two.txt"]);
  assert.deepEqual(paths(await get("/v1/files?path=b.txt")), ["b.txt"]);
  const [folder] = linesOf(top) as readonly Record<string, unknown>[];
  assert.deepEqual(
    [folder?.["kind"], folder?.["size"], folder?.["type"], folder?.["content"]],
    ["folder", 3, null, null],
  );
  assert.equal((await get("/v1/files", {}, { method: "HEAD" })).body.length, 0);
});

test(
  "resolve finds a path, a folder, a content or a base name that only one file bears, and lists those that share one",
  TIMEOUT,
  async (t) => {
    const { get } = await serveShare(t, {
      files: { "x/same.txt": "1", "y/same.txt": "2", "y/only.txt": "3", "same.md": "4" },
    });
    const resolve = async (name: string) => linesOf(await get(`/v1/resolve?${new URLSearchParams({ name })}`));
    const last = async (name: string) => (await resolve(name)).at(-1) as Record<string, unknown>;

    assert.deepEqual(await resolve("same.txt"), [{ kind: "ambiguous", paths: ["x/same.txt", "y/same.txt"] }]);
    assert.equal((await last("only.txt"))["path"], "y/only.txt");
    assert.equal((await last("x/same.txt"))["path"], "x/same.txt");
    const { content } = await last("only.txt");
    assert.equal((await last(String(content)))["path"], "y/only.txt");
    assert.equal((await last("y"))["kind"], "folder");
    assert.equal((await last("y/"))["kind"], "folder");
    for (const nothing of [
      "",
      `b3-${"0".repeat(64)}`,
      "SAME.TXT",
      "../x/same.txt",
      "/x/same.txt",
      "x//same.txt",
      "x\\same.txt",
      "x/same.txt\0",
      "%",
    ])
      assert.equal((await last(nothing))["code"], "no-such-file", nothing);
  },
);

test("a name that more files bear than can be listed is answered with the first twenty", TIMEOUT, async (t) => {
  const files = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`${String(at).padStart(2, "0")}/same`, "x"]));
  const { get } = await serveShare(t, { files });
  const [line] = linesOf(await get("/v1/resolve?name=same")) as [{ readonly kind: string; readonly paths: string[] }];
  assert.equal(line.kind, "ambiguous");
  assert.deepEqual(line.paths.slice(0, 2), ["00/same", "01/same"]);
  assert.equal(line.paths.length, 20);
});
