import { describe, expect, it } from "vitest";
import { webhookAddress } from "./webhook-address.ts";

const rules = { ownHosts: ["lumbung.example"], allowPrivate: false };

describe("a webhook's address", () => {
  it.each([
    "https://toko.example/hook?a=1",
    "https://toko.example:8443/",
    "https://93.184.216.34/hook",
    "https://[2606:2800:220:1:248:1893:25c8:1946]/",
    "https://xn--tko-0ra.example/",
  ])("%s may be called", (url) => {
    expect(webhookAddress(url, rules)).toBe(url);
  });

  it.each([
    "http://toko.example/",
    "https://toko.example:22/",
    "https://user:pass@toko.example/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost/",
    "https://router.local/",
    "https://db.internal/",
    "https://intranet/",
    "https://localhost../",
    "https://lumbung.example../",
    "https://toko..example/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:db8::1]/",
    "https://[2001::1]/",
    "https://[fc00::1]/",
    "https://[fe80::1]/",
    "https://[ff02::1]/",
    "https://lumbung.example/api/v2",
    "https://toko.lumbung.example/",
    "https://127.0.0.1.nip.local/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://",
    "",
  ])("%j may not", (url) => {
    expect(() => webhookAddress(url, rules)).toThrow(/^url: /);
  });

  it("of this machine may be called on a laptop, but no other scheme", () => {
    const local = { ...rules, allowPrivate: true };
    expect(webhookAddress("http://localhost:9000/hook", local)).toBe("http://localhost:9000/hook");
    expect(() => webhookAddress("ftp://localhost/", local)).toThrow(/^url: /);
  });
});
