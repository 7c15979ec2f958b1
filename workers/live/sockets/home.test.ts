import { expect, it } from "vitest";
import { addressKey } from "./home.ts";

it("tells addresses apart, an IPv6 one by its network, and names nobody by this machine's own or by none", () => {
  const keys = ["203.0.113.7", "203.0.113.8", "2001:db8:1:2::7"].map(addressKey);
  expect(new Set(keys).size).toBe(3);
  for (const key of keys) expect(key).toMatch(/^[\da-z]+$/);
  expect(addressKey("2001:DB8:1:2:aa::1")).toBe(addressKey("2001:db8:1:2::7"));
  expect(addressKey("2001:db8:1:3::7")).not.toBe(addressKey("2001:db8:1:2::7"));
  for (const none of ["", "unknown", "127.0.0.1", "::1"]) expect(addressKey(none)).toBeNull();
});
