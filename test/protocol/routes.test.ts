import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HEADERS_MAX_BYTES, SHARE_PATH_MAX_BYTES } from "../../src/protocol/limits.ts";
import {
  About,
  blockListUrl,
  contentUrl,
  downloadUrl,
  filesUrl,
  INDEX_ROUTES,
  LINK_PATH,
  PEER_ROUTES,
  resolveUrl,
} from "../../src/protocol/routes.ts";
import { decodeSharePath, parseSharePath } from "../../src/protocol/share-path.ts";
import { anyText, contentId, sharePath } from "./arbitraries.ts";

const at = (url: string): URL => new URL(url, "https://peer");

test("a listing's URL carries path and depth through a URL parser", () => {
  fc.assert(
    fc.property(
      fc.oneof(sharePath, fc.constant("" as const)),
      fc.boolean(),
      fc.boolean(),
      (path, recursive, folders) => {
        const { pathname, searchParams } = at(filesUrl(path, recursive, folders));
        assert.deepEqual(
          [pathname, ...["path", "recursive", "folders"].map((name) => searchParams.get(name))],
          [PEER_ROUTES.files, path, `${recursive}`, folders ? "true" : null],
        );
      },
    ),
  );
});

test("resolve's URL carries any name through a URL parser", () => {
  fc.assert(
    fc.property(anyText, (name) => {
      const { pathname, searchParams } = at(resolveUrl(name));
      assert.deepEqual([pathname, searchParams.get("name")], [PEER_ROUTES.resolve, name.toWellFormed()]);
    }),
  );
});

test("a file's URL leads back to its share path", () => {
  fc.assert(
    fc.property(sharePath, (path) => {
      const { pathname, search, hash } = at(downloadUrl(path));
      assert.ok(pathname.startsWith(PEER_ROUTES.download));
      assert.equal(decodeSharePath(pathname.slice(PEER_ROUTES.download.length)), path);
      assert.equal(search + hash, "");
    }),
  );
});

test("the URLs of content and of its block list are told apart", () => {
  fc.assert(
    fc.property(contentId, (id) => {
      assert.equal(contentUrl(id), `/v1/content/${id}`);
      assert.equal(blockListUrl(id), `/v1/content/${id}/blocks`);
    }),
  );
});

test("the longest share path fits into the headers of a request, with room for the others", () => {
  const path = parseSharePath(`${"漢".repeat(250)}/`.repeat(5) + "漢".repeat(113));
  assert.ok(path && Buffer.byteLength(path) > SHARE_PATH_MAX_BYTES - 10);
  for (const url of [downloadUrl(path), filesUrl(path, true), resolveUrl(path)])
    assert.ok(url.length < HEADERS_MAX_BYTES - 3 * 1024);
});

test("no route stands for two things", () => {
  const peer = [...Object.values(PEER_ROUTES), LINK_PATH];
  const index = [...Object.values(INDEX_ROUTES), LINK_PATH];
  for (const routes of [peer, index]) {
    for (const one of routes)
      for (const other of routes) assert.ok(one === other || !one.startsWith(`${other}/`), `${one} ${other}`);
    assert.equal(new Set(routes).size, routes.length);
  }
});

test("an answer of /v1/about with a hostile name is refused", () => {
  const about = {
    id: "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq",
    name: "ada",
    program: "tukar 1",
    files: 1,
    bytes: 2,
  };
  assert.deepEqual(About.parse(about), about);
  assert.equal(About.safeParse({ ...about, name: "a\u001b[2J" }).success, false);
});
