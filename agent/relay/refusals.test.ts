import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Nonces } from "./nonces.ts";
import { parseTargets } from "./targets.ts";
import {
  type Said,
  signedHeaders,
  startTarget,
  startTestRelay,
  type Target,
  type TestRelay,
} from "./testing.ts";

let target: Target;
let relay: TestRelay;
let to: string;

beforeAll(async () => {
  target = await startTarget();
  to = `${target.origin}/pay?id=7`;
  relay = await startTestRelay(`${target.origin}, listed.example, panel.example:8888`);
});
beforeEach(() => {
  target.got.length = 0;
});
afterAll(async () => {
  await relay.stop();
  await target.stop();
});

const now = () => Math.floor(Date.now() / 1000);

describe("nothing is sent for", () => {
  const other = "A".repeat(22);
  const forged: [string, Partial<Said>][] = [
    ["another key", { key: "local-relay-key-0002-vwxyz-abcdef" }],
    ["a method that was not signed", { forged: { "relay-method": "DELETE" } }],
    ["a target that was not signed", { forged: { "relay-target": "http://127.0.0.1:1/" } }],
    ["a time that was not signed", { time: now() - 9, forged: { "relay-time": String(now()) } }],
    ["a nonce that was not signed", { forged: { "relay-nonce": other } }],
    ["a timeout that was not signed", { forged: { "relay-timeout": "300000" } }],
    ["headers that were not signed", { forged: { "relay-headers": "W10" }, headers: [["a", "b"]] }],
    ["a body that was not signed", { body: "price=1", forgedBody: "price=9" }],
    ["no body where one was signed", { body: "price=1", forgedBody: "" }],
  ];
  it.each(forged)("%s: bad_signature", async (_name, said) => {
    expect(await relay.errorOf({ target: to, ...said })).toBe("bad_signature");
    expect(target.got).toEqual([]);
  });

  it.each([-121, 121])("a request of %i s: stale", async (seconds) => {
    expect(await relay.errorOf({ target: to, time: now() + seconds })).toBe("stale");
    expect(target.got).toEqual([]);
  });

  it("one signed before the relay started: stale", async () => {
    const young = await startTestRelay(target.origin, { startedAtMs: (now() + 1) * 1000 });
    expect(await young.errorOf({ target: to })).toBe("stale");
    await young.stop();
    expect(target.got).toEqual([]);
  });

  it("a repeat, alone or at the same moment: replayed", async () => {
    const said = { target: to, nonce: Buffer.from("nonce-of-repeat!").toString("base64url") };
    const errors = await Promise.all([1, 2, 3, 4].map(() => relay.errorOf(said)));
    expect(errors.filter((error) => error === null)).toHaveLength(1);
    expect(errors.filter((error) => error === "replayed")).toHaveLength(3);
    expect(await relay.errorOf({ ...said, body: "x" })).toBe("replayed");
    expect(target.got).toHaveLength(1);
  });

  const form: [string, Partial<Said>][] = [
    ["no signature", { forged: { "relay-signature": "" } }],
    ["a signature in capitals", { forged: { "relay-signature": "A".repeat(64) } }],
    ["a method that is none", { method: "TRACE" }],
    ["a short nonce", { nonce: "short" }],
    ["a nonce in plain base64", { nonce: "+/+/+/+/+/+/+/+/+/+/+/" }],
    ["no patience", { timeout: 999 }],
    ["too much of it", { timeout: 300_001 }],
    ["a time in milliseconds and more", { time: Date.now() }],
    ["headers that are no list", { forged: { "relay-headers": "e30" } }],
    ["a header name in capitals", { headers: [["Va", "1"]] }],
    ["a header value of two lines", { headers: [["va", "1\r\nx: 2"]] }],
  ];
  it.each(form)("%s: bad_request", async (_name, said) => {
    expect(await relay.errorOf({ target: to, ...said })).toBe("bad_request");
    expect(target.got).toEqual([]);
  });

  it("another path, or another method of HTTP: bad_request", async () => {
    const headers = signedHeaders({ target: to });
    for (const path of ["/", "/relay/v2", "/relay/v1/", `/${to}`]) {
      const { status } = await fetch(`${relay.url}${path}`, { method: "POST", headers });
      expect([path, status]).toEqual([path, 400]);
    }
    expect((await fetch(`${relay.url}/relay/v1`, { headers })).status).toBe(400);
    expect(target.got).toEqual([]);
  });

  it("a body over the limit, told beforehand or not: too_large", async () => {
    const small = await startTestRelay(target.origin, { maxBodyBytes: 1_000 });
    expect(await small.errorOf({ target: to, body: "x".repeat(1_000) })).toBeNull();
    expect(await small.errorOf({ target: to, body: "x".repeat(1_001) })).toBe("too_large");
    const parts = ["x".repeat(600), "x".repeat(600)];
    const streamed = await fetch(`${small.url}/relay/v1`, {
      method: "POST",
      headers: signedHeaders({ target: to, body: parts.join("") }),
      body: new Blob(parts).stream(),
      duplex: "half",
    } as RequestInit);
    expect(streamed.status).toBe(413);
    expect(target.got).toHaveLength(1);
    await small.stop();
  });

  it("more nonces than can be remembered: busy", async () => {
    const small = await startTestRelay(target.origin, { nonces: new Nonces(1) });
    expect(await small.errorOf({ target: to })).toBeNull();
    expect(await small.errorOf({ target: to })).toBe("busy");
    await small.stop();
  });
});

describe("a host that is not on the list is not called", () => {
  const foreign = [
    "https://evil.example/",
    "https://listed.example.evil.example/",
    "https://evil-listed.example/",
    "https://listed.example:8443/",
    "https://panel.example/",
    "https://listed.example./",
    "http://listed.example/",
    "http://127.0.0.1/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::ffff:7f00:1]/",
    "http://169.254.169.254/latest/meta-data/",
    "https://xn--lsted-n4a.example/",
  ];
  it.each(foreign)("%s: forbidden_host", async (address) => {
    expect(await relay.errorOf({ target: address })).toBe("forbidden_host");
  });

  const confusing = [
    "https://listed.example@evil.example/",
    "https://user:pass@listed.example/",
    "https://listed.example:443/",
    "https://LISTED.example/",
    "https://listed.example",
    "https://listed%2eexample/",
    "https://listed.example\\@evil.example/",
    "https://listed.example/../x",
    "https://listed.example/#evil",
    "https://listed.example/#",
    "https:/listed.example/",
    "//listed.example/",
    "https://2130706433/",
    "https://0x7f.1/",
    "ftp://listed.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "/pay",
  ];
  it.each(confusing)("%s: bad_request, whoever it means", async (address) => {
    expect(await relay.errorOf({ target: address })).toBe("bad_request");
  });

  it("nor is its name written anywhere before it is signed", async () => {
    const own = await startTestRelay(target.origin);
    await own.errorOf({ target: "https://forged.example/", key: "x".repeat(32) });
    await own.stop();
    expect(own.lines).toHaveLength(1);
    expect(own.lines[0]).toContain("bad_signature");
    expect(own.lines[0]).not.toContain("forged.example");
  });
});

it("answers /healthz to anybody, with nothing else", async () => {
  const answer = await fetch(`${relay.url}/healthz`);
  expect([answer.status, await answer.text()]).toEqual([200, '{"ok":true}']);
});

it("forgets nonces when nobody may use them any more, and not before", () => {
  const nonces = new Nonces();
  expect(nonces.take("a", 0)).toBe(true);
  expect(nonces.take("a", 240_000)).toBe(false);
  expect(nonces.take("b", 240_001)).toBe(true);
  expect(nonces.size).toBe(1);
});

describe("the list", () => {
  it("is read as it is matched", () => {
    const pin = `${"AB:".repeat(31)}AB`;
    const targets = parseTargets(`my.ipaymu.com,panel.example:8888=${pin} http://127.0.0.1:9105`);
    expect([...targets]).toEqual([
      ["https://my.ipaymu.com", null],
      ["https://panel.example:8888", "ab".repeat(32)],
      ["http://127.0.0.1:9105", null],
    ]);
  });

  const wrong = [
    "",
    "https://a.example/path",
    "a.example:443",
    "A.example",
    "a.example=short",
    `http://a.example=${"ab".repeat(32)}`,
    "user@a.example",
    "*.example.com",
    "*",
  ];
  it.each(wrong)("is refused with %j in it", (entry) => {
    expect(() => parseTargets(entry)).toThrow();
  });
});
