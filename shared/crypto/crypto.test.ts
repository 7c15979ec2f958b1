import { describe, expect, test } from "vitest";
import {
  basicAuth,
  fromBase64,
  fromBase64Url,
  hmacSha256Base64,
  hmacSha256Base64Url,
  hmacSha256Hex,
  randomBase32,
  randomToken,
  sha256Hex,
  sha512Hex,
  timingSafeEqual,
  toBase64,
  toBase64Url,
  toHex,
  utf8,
} from "./index.ts";

describe("digests", () => {
  test("match the published vectors of FIPS 180-4 for 'abc'", async () => {
    expect(await sha256Hex("abc")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(await sha512Hex("abc")).toBe(
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
  });

  test("HMAC-SHA256 matches RFC 4231 case 2 in every spelling", async () => {
    const [key, text] = ["Jefe", "what do ya want for nothing?"];
    const hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    expect(await hmacSha256Hex(key, text)).toBe(hex);
    expect(await hmacSha256Hex(utf8(key), utf8(text))).toBe(hex);
    expect(await hmacSha256Base64(key, text)).toBe("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    expect(await hmacSha256Base64Url(key, text)).toBe(
      "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM",
    );
  });

  test("an empty HMAC key is refused", async () => {
    await expect(hmacSha256Hex("", "text")).rejects.toThrow("empty");
  });

  test("Basic authentication matches the vector of the Midtrans file", () => {
    expect(basicAuth("SB-Mid-server-TESTKEY0001", "")).toBe(
      "Basic U0ItTWlkLXNlcnZlci1URVNUS0VZMDAwMTo=",
    );
  });
});

describe("encodings", () => {
  test("every byte survives hex, base64 and base64url", () => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(fromBase64(toBase64(all))).toEqual(all);
    expect(fromBase64Url(toBase64Url(all))).toEqual(all);
    expect(toBase64Url(all)).not.toMatch(/[+/=]/);
    expect(toHex(all.slice(0, 17))).toBe("000102030405060708090a0b0c0d0e0f10");
  });

  test("text is encoded as UTF-8, so names outside Latin-1 do not throw", () => {
    expect(toBase64(utf8("lumbung padi 🌾"))).toBe("bHVtYnVuZyBwYWRpIPCfjL4=");
  });

  test.each(["a", "ab=c", "YQ", " YQ==", "YQ==\n", "Y-Q="])("strict base64 refuses %j", (text) => {
    expect(fromBase64(text)).toBeNull();
  });

  test("base64url is read with and without padding, and a wrong alphabet is refused", () => {
    expect(fromBase64Url("YQ")).toEqual(utf8("a"));
    expect(fromBase64Url("YQ==")).toEqual(utf8("a"));
    expect(fromBase64Url("Y+Q")).toBeNull();
  });
});

describe("timingSafeEqual", () => {
  test("equal texts and bytes are equal", async () => {
    expect(await timingSafeEqual("kunci-rahasia", "kunci-rahasia")).toBe(true);
    expect(await timingSafeEqual(utf8("abc"), "abc")).toBe(true);
    expect(await timingSafeEqual("", "")).toBe(true);
  });

  test.each([
    ["kunci", "Kunci"],
    ["kunci", "kunci "],
    ["kunci", ""],
    ["kunci", "kunc"],
  ])("%j and %j differ", async (a, b) => {
    expect(await timingSafeEqual(a, b)).toBe(false);
  });
});

describe("random codes", () => {
  test("have the asked length and no symbol that can be misread", () => {
    for (let round = 0; round < 50; round += 1) {
      expect(randomBase32(26)).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    }
  });

  test("do not repeat, and use the whole alphabet", () => {
    const codes = Array.from({ length: 200 }, () => randomBase32(20));
    expect(new Set(codes).size).toBe(200);
    expect(new Set(codes.join("")).size).toBe(32);
  });

  test("tokens are base64url of the asked number of bytes", () => {
    expect(fromBase64Url(randomToken(24))).toHaveLength(24);
    expect(randomToken()).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});
