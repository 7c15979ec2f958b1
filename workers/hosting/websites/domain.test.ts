import { describe, expect, test } from "vitest";
import { testContext } from "../../testing/api.ts";
import { parseDomain } from "./domain.ts";

const config = {
  ...testContext().config,
  APP_URL: "https://api.lumbung.co.id",
  STORE_DOMAIN: "toko.lumbung.co.id",
  AAPANEL_URL: "https://panel.server-kami.net:8888",
};
const parse = (text: string) => parseDomain(config, text);

describe("a domain", () => {
  test.each([
    ["toko-budi.com", "toko-budi.com"],
    ["  Toko-Budi.COM ", "toko-budi.com"],
    ["kasir.toko.web.id", "kasir.toko.web.id"],
    ["bücher.de", "xn--bcher-kva.de"],
    ["toko。com", "toko.com"],
    ["ＴＯＫＯ.com", "toko.com"],
    ["xn--bcher-kva.de", "xn--bcher-kva.de"],
    ["例え.jp", "xn--r8jz45g.jp"],
    ["1.com", "1.com"],
    [`${"a".repeat(63)}.com`, `${"a".repeat(63)}.com`],
    ["lumbung.co.id", "lumbung.co.id"],
    ["toko.com.sg", "toko.com.sg"],
    ["toko.my.id", "toko.my.id"],
    ["com.toko.id", "com.toko.id"],
    ["budi.github.io", "budi.github.io"],
  ])("%j is kept as %s", (text, domain) => {
    expect(parse(text)).toBe(domain);
  });

  test.each([
    "",
    "toko",
    "toko.",
    ".toko.com",
    "toko..com",
    "toko.com.",
    "-toko.com",
    "toko-.com",
    "to_ko.com",
    "to ko.com",
    "toko.com/..",
    "../etc/passwd",
    "toko.com:8080",
    "user@toko.com",
    "http://toko.com",
    "toko.com?x",
    "toko.com#x",
    "toko%2ecom",
    "*.toko.com",
    "toko.c0m",
    "toko.123",
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "[::1]",
    "::1",
    "aa--bb.com",
    "\u200dtoko\u202e.com/",
    `${"a".repeat(64)}.com`,
    `${"abcdefghi.".repeat(26)}com`,
    "toko.com;rm -rf",
    "toko'.com",
    "toko\0.com",
  ])("%j is refused", (text) => {
    expect(() => parse(text)).toThrow("Domain tidak valid");
  });

  test.each([
    "toko.localhost",
    "toko.local",
    "toko.test",
    "toko.example",
    "toko.invalid",
    "toko.onion",
    "1.168.192.in-addr.arpa",
    "co.id",
    "web.id",
    "my.id",
    "ponpes.id",
    "com.sg",
    "CO.UK",
    "or.jp",
    "github.io",
    "api.lumbung.co.id",
    "x.api.lumbung.co.id",
    "wafero.toko.lumbung.co.id",
    "panel.server-kami.net",
  ])("%j belongs to nobody, or to us", (text) => {
    expect(() => parse(text)).toThrow("Domain tidak dapat digunakan");
  });
});
