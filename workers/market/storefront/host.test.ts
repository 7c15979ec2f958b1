import { describe, expect, it } from "vitest";
import { isStoreHost, storeSlugOf } from "./host.ts";

describe("a host names a store", () => {
  it.each([
    ["wafero.localhost", "localhost", "wafero"],
    ["Kopi-Kelud.lumbung.example", "lumbung.example", "kopi-kelud"],
  ])("%s is the store %s", (host, domain, slug) => {
    expect(storeSlugOf(host, domain)).toBe(slug);
  });

  it.each([
    ["localhost", "localhost"],
    ["lumbung.example", "lumbung.example"],
    ["www.lumbung.example", "lumbung.example"],
    ["api.lumbung.example", "lumbung.example"],
    ["admin.lumbung.example", "lumbung.example"],
    ["a.b.lumbung.example", "lumbung.example"],
    ["xn--80ak6aa92e.lumbung.example", "lumbung.example"],
    ["evillumbung.example", "lumbung.example"],
    ["lumbung.example.evil.example", "lumbung.example"],
    ["127.0.0.1", "localhost"],
    [".localhost", "localhost"],
  ])("%s is no store of %s", (host, domain) => {
    expect(storeSlugOf(host, domain)).toBeNull();
  });
});

describe("a host that no store can have", () => {
  it.each(["a.b.lumbung.example", "xn--80ak6aa92e.lumbung.example", "ab.lumbung.example"])(
    "%s still gets a page, which says so",
    (host) => expect(isStoreHost(host, "lumbung.example")).toBe(true),
  );

  it.each(["lumbung.example", "www.lumbung.example", "api.lumbung.example", "evil.example"])(
    "%s is the API's",
    (host) => expect(isStoreHost(host, "lumbung.example")).toBe(false),
  );
});
