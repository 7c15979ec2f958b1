import { describe, expect, test } from "vitest";
import { decryptOnce, encryptOnce, gunzip, gzip, utf8 } from "./index.ts";

const secret = utf8("4831-2201-9931-0045-1187/BUDI/R1/900VA/34,7 🌾");

describe("bytes under a key of their own", () => {
  test("open with that key, and no other", async () => {
    const [one, other] = [await encryptOnce(secret), await encryptOnce(secret)];
    expect(one.encrypted).not.toEqual(other.encrypted);
    expect(await decryptOnce(one.key, one.encrypted)).toEqual(secret);
    expect(await decryptOnce(other.key, one.encrypted)).toBeNull();
    for (const rubbish of ["", "AAAA", "***"]) {
      expect(await decryptOnce(rubbish, one.encrypted)).toBeNull();
    }
  });

  test("do not open with any byte changed", async () => {
    const { key, encrypted } = await encryptOnce(secret);
    for (let at = 0; at < encrypted.length; at += 1) {
      const changed = encrypted.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await decryptOnce(key, changed)).toBeNull();
    }
  });
});

test("what is packed comes out as it was", async () => {
  for (const bytes of [utf8(""), secret, new Uint8Array(100_000)]) {
    expect(await gunzip(await gzip(bytes))).toEqual(bytes);
  }
});
