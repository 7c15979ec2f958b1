import { describe, expect, it } from "vitest";
import { testContext } from "../testing/api.ts";
import { sessionCookieOptions } from "./cookie.ts";

const config = (STORE_DOMAIN: string) => ({ ...testContext().config, STORE_DOMAIN });

describe("sessionCookieOptions", () => {
  it("shares a sign-in among the stores of the domain", () => {
    for (const host of ["lumbung.example", "wafero.lumbung.example"]) {
      expect(sessionCookieOptions(config("lumbung.example"), `https://${host}/masuk`)).toEqual({
        path: "/",
        httpOnly: true,
        sameSite: "Lax",
        secure: true,
        domain: "lumbung.example",
      });
    }
  });

  it("stays with the host on a laptop and outside the domain", () => {
    const pairs: [string, string][] = [
      ["localhost", "http://wafero.localhost:8787/"],
      ["lumbung.example", "https://lumbung.example.evil.example/"],
      ["lumbung.example", "https://notlumbung.example/"],
    ];
    for (const [domain, url] of pairs) {
      expect(sessionCookieOptions(config(domain), url).domain).toBeUndefined();
    }
  });
});
