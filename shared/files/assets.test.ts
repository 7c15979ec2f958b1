import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type AssetOwner, deleteImage, ownAssetKey, serveAsset, storeImage } from "./assets.ts";
import { LOSSLESS_WEBP, PALETTE_PNG } from "./image-samples.ts";

const bucket: R2Bucket = env.ASSETS_BUCKET;
const SIZE = PALETTE_PNG.length;

async function stored(prefix = "avatars") {
  const owner: AssetOwner = { prefix, ownerId: crypto.randomUUID() };
  const image = await storeImage(bucket, { ...owner, bytes: PALETTE_PNG, type: "png" });
  return { owner, ...image };
}

async function served(key: string, headers: Record<string, string> = {}, method = "GET") {
  const request = new Request("http://assets.test/", { method, headers });
  const response = await serveAsset(bucket, request, key);
  if (response === null) throw new Error(`${key} was not served`);
  return response;
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}

describe("storeImage", () => {
  it("writes under the owner's folder with a new name each time", async () => {
    const owner = { prefix: "products", ownerId: 42 };
    const image = { ...owner, bytes: LOSSLESS_WEBP, type: "webp" as const };
    const first = await storeImage(bucket, image);
    const second = await storeImage(bucket, image);
    expect(first.key).toMatch(/^products\/42\/[0-9a-f]{32}\.webp$/);
    expect(first.path).toBe(`/uploads/${first.key}`);
    expect(second.key).not.toBe(first.key);
    const object = await bucket.head(first.key);
    expect(object?.httpMetadata).toMatchObject({
      contentType: "image/webp",
      cacheControl: "public, max-age=31536000, immutable",
    });
  });

  it("throws on a folder that could reach another one", async () => {
    const image = { bytes: PALETTE_PNG, type: "png" as const };
    for (const owner of [
      { prefix: "avatars/1", ownerId: 2 },
      { prefix: "avatars", ownerId: ".." },
      { prefix: "", ownerId: 1 },
      { prefix: "avatars", ownerId: "" },
    ]) {
      await expect(storeImage(bucket, { ...image, ...owner })).rejects.toThrow(RangeError);
    }
  });
});

describe("deleteImage", () => {
  it("deletes the owner's own image", async () => {
    const { key, owner } = await stored();
    expect(await deleteImage(bucket, key, owner)).toBe(true);
    expect(await bucket.head(key)).toBeNull();
  });

  it("leaves another owner's, another prefix's and a malformed key alone", async () => {
    const { key, owner } = await stored();
    const others = [
      { ...owner, ownerId: crypto.randomUUID() },
      { ...owner, prefix: "products" },
    ];
    for (const other of others) expect(await deleteImage(bucket, key, other)).toBe(false);
    for (const odd of ["", key.slice(0, -4), `/${key}`, `${key}/x`, `avatars/${owner.ownerId}/`]) {
      expect(await deleteImage(bucket, odd, owner)).toBe(false);
    }
    expect(await bucket.head(key)).not.toBeNull();
  });
});

describe("ownAssetKey", () => {
  const base = "https://assets.lumbung.test";

  it("takes the owner's image in each form in which we hand it out", async () => {
    const { key, path, owner } = await stored();
    for (const url of [path, base + path, `${base}/${key}`]) {
      expect(ownAssetKey(url, base, owner)).toBe(key);
      expect(ownAssetKey(url, `${base}/`, owner)).toBe(key);
    }
    expect(ownAssetKey(`${base}/cdn/${key}`, `${base}/cdn`, owner)).toBe(key);
  });

  it("refuses other hosts, owners, prefixes and dressed-up forms", async () => {
    const { key, path, owner } = await stored();
    const urls = [
      "",
      key,
      `https://evil.test${path}`,
      `${base}.evil.test${path}`,
      `${base}@evil.test${path}`,
      `https://user@assets.lumbung.test${path}`,
      `http://assets.lumbung.test${path}`,
      `//assets.lumbung.test${path}`,
      `${base}:444${path}`,
      `${base}${path}?x=1`,
      `${base}${path}#x`,
      `${base}/uploads/../${key}`,
      `${base}/${key.replace("avatars", "%61vatars")}`,
      `${base}/${key}\n`,
      "blob:https://assets.lumbung.test/1",
    ];
    for (const url of urls) expect(ownAssetKey(url, base, owner), url).toBeNull();
    expect(ownAssetKey(base + path, base, { ...owner, ownerId: 7 })).toBeNull();
    expect(ownAssetKey(base + path, base, { ...owner, prefix: "stores" })).toBeNull();
    expect(ownAssetKey(`/${key}`, "", owner)).toBeNull();
  });
});

describe("serveAsset", () => {
  it("serves a public image that a browser may keep for ever and cannot run", async () => {
    for (const prefix of ["avatars", "products", "stores", "agency-logos"]) {
      const response = await served((await stored(prefix)).key);
      expect(response.status).toBe(200);
      expect(await bytesOf(response)).toEqual(PALETTE_PNG);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "accept-ranges": "bytes",
        "cache-control": "public, max-age=31536000, immutable",
        "content-length": String(SIZE),
        "content-security-policy": "default-src 'none'; sandbox",
        "content-type": "image/png",
        etag: expect.stringMatching(/^".+"$/),
        "x-content-type-options": "nosniff",
      });
    }
  });

  it("answers HEAD with the same headers and no body", async () => {
    const { key } = await stored();
    const full = await served(key);
    await full.arrayBuffer();
    const head = await served(key, { range: "bytes=0-1" }, "HEAD");
    expect(head.status).toBe(200);
    expect(head.body).toBeNull();
    expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(full.headers));
  });

  it("answers 304 to a client that holds the image, by any form of its tag", async () => {
    const { key } = await stored();
    const etag = (await served(key, {}, "HEAD")).headers.get("etag") ?? "";
    for (const held of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      for (const method of ["GET", "HEAD"]) {
        const response = await served(key, { "if-none-match": held, range: "bytes=0-1" }, method);
        expect(response.status, `${method} ${held}`).toBe(304);
        expect(response.body).toBeNull();
        expect(response.headers.get("etag")).toBe(etag);
        expect(response.headers.get("cache-control")).toContain("immutable");
      }
    }
    for (const held of ['"other"', "rubbish", '"', ", ,", 'W/"', "a".repeat(5_000)]) {
      const response = await served(key, { "if-none-match": held });
      expect(response.status, held).toBe(200);
      expect(await bytesOf(response)).toEqual(PALETTE_PNG);
    }
  });

  it.each([
    ["bytes=0-9", 0, 9],
    ["bytes=10-", 10, SIZE - 1],
    ["bytes=-5", SIZE - 5, SIZE - 1],
    ["bytes=-99999", 0, SIZE - 1],
    ["bytes=5-99999", 5, SIZE - 1],
    [`bytes=${SIZE - 1}-${SIZE - 1}`, SIZE - 1, SIZE - 1],
  ])("answers the range %s with that part", async (range, from, to) => {
    const response = await served((await stored()).key, { range });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(`bytes ${from}-${to}/${SIZE}`);
    expect(response.headers.get("content-length")).toBe(String(to - from + 1));
    expect(await bytesOf(response)).toEqual(PALETTE_PNG.slice(from, to + 1));
  });

  it("answers 416 to a range beyond the end and the whole to a range it does not understand", async () => {
    const { key } = await stored();
    for (const range of [`bytes=${SIZE}-`, "bytes=999999999999-", "bytes=-0"]) {
      const response = await served(key, { range });
      expect(response.status, range).toBe(416);
      expect(response.headers.get("content-range")).toBe(`bytes */${SIZE}`);
    }
    for (const range of [
      "bytes=5-2",
      "bytes=0-1,4-5",
      "bytes=-",
      "items=0-1",
      `bytes=${"9".repeat(40)}-`,
    ]) {
      const response = await served(key, { range });
      expect(response.status, range).toBe(200);
      expect(await bytesOf(response)).toEqual(PALETTE_PNG);
    }
  });

  it("answers the range under If-Range only when the tag is the present one", async () => {
    const { key } = await stored();
    const etag = (await served(key, {}, "HEAD")).headers.get("etag") ?? "";
    const statuses = [];
    for (const condition of [etag, '"other"', `W/${etag}`]) {
      const response = await served(key, { range: "bytes=0-1", "if-range": condition });
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    expect(statuses).toEqual([206, 200, 200]);
  });

  it("never serves a private prefix, a missing key, a malformed key or what is no image", async () => {
    const secret = await stored("certifications");
    const { key } = await stored();
    const page = `avatars/${crypto.randomUUID()}/page.html`;
    await bucket.put(page, "<script>", { httpMetadata: { contentType: "text/html" } });
    const bare = `avatars/${crypto.randomUUID()}/bare.png`;
    await bucket.put(bare, PALETTE_PNG);
    const keys = [
      secret.key,
      page,
      bare,
      "",
      "avatars",
      "avatars/",
      key.slice(0, -1),
      `/${key}`,
      `${key}/`,
      `${key}\0`,
      `${key}\n`,
      key.replace("/", "//"),
      key.replace("/", "%2f"),
      key.replace("/", "\\"),
      `avatars/../${secret.key}`,
      `avatars/./${key.slice(8)}`,
      `Avatars/${key.slice(8)}`,
      `avatars/${"a".repeat(2_000)}.png`,
    ];
    for (const odd of keys) {
      for (const method of ["GET", "HEAD"]) {
        const request = new Request("http://assets.test/", {
          method,
          headers: { range: "bytes=0-1" },
        });
        expect(await serveAsset(bucket, request, odd), odd).toBeNull();
      }
      expect(await serveAsset(bucket, new Request("http://assets.test/"), odd), odd).toBeNull();
    }
  });
});
