import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../testing/call.ts";
import { isListed } from "./guard.ts";
import { requestToken } from "./signature.ts";
import { type Hosting, newDomain, siteFields, startHosting } from "./testing.ts";
import { startAapanelTwin } from "./twin.ts";

let panel: Hosting;

beforeAll(async () => {
  panel = await startHosting();
});
afterAll(() => panel.stop());

const refusal = (msg: string) => ({ status: 200, body: { status: false, msg } });

describe("who may call", () => {
  it.each(["request_time", "request_token"])("nobody without %s, told by a page", async (field) => {
    const answer = await panel.ask("site", "GetPHPVersion", { [field]: undefined });
    expect(answer.status).toBe(404);
    expect(answer.text).toContain("<h1>404 Not Found</h1>");
  });

  it("a browser that is not signed in is sent to the login page", async () => {
    const headers = { "user-agent": "Mozilla/5.0" };
    const answer = await call("POST", `${panel.twin.url}/site?action=GetPHPVersion`, {}, headers);
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/login"]);
  });

  it("a wrong key is refused in words, with HTTP 200", async () => {
    const request_token = requestToken("another key", "1767225600");
    const answer = await panel.ask("system", "GetSystemTotal", { request_token });
    expect(answer).toMatchObject(refusal("Secret key verification failed"));
  });

  it("any time is taken, also one of long ago", async () => {
    const request_time = "1";
    const request_token = requestToken("0123456789abcdef0123456789ABCDEF", "1");
    const answer = await panel.ask("site", "GetPHPVersion", { request_time, request_token });
    expect(answer.body[0]).toEqual({ version: "00", name: "Static" });
  });

  it("an address that is not listed is told which one it is, until it is listed", async () => {
    const own = await startHosting();
    const mark = newDomain();
    await own.dial(mark, { callerAddress: "198.51.100.9" });
    const ask = () => own.ask("site", "GetPHPVersion", { mark });
    const words = "IP validation failed, your access IP is[198.51.100.9]";
    expect(await ask()).toMatchObject(refusal(words));
    await own.hand("account", { whitelist: "127.0.0.1, 198.51.100.0/24" });
    expect(await ask()).toMatchObject({ status: 200, body: { length: 4 } });
    await own.stop();
  });

  it("an empty list admits nobody, a closed API looks like no page", async () => {
    const own = await startHosting({ whitelist: [] });
    expect((await own.ask("site", "GetPHPVersion")).body.msg).toContain("IP validation failed");
    await own.hand("account", { api: false });
    expect((await own.ask("site", "GetPHPVersion")).status).toBe(404);
    await own.stop();
  });

  it("twenty failures in a row shut an address out, a success in between does not", async () => {
    const own = await startHosting();
    const fail = () => own.ask("site", "GetPHPVersion", { request_token: "0".repeat(32) });
    for (let n = 0; n < 19; n += 1) await fail();
    expect((await own.ask("site", "GetPHPVersion")).status).toBe(200);
    for (let n = 0; n < 20; n += 1) await fail();
    const locked = "20 consecutive verification failures, prohibited for 1 hour";
    expect(await own.ask("site", "GetPHPVersion")).toMatchObject(refusal(locked));
    await own.hand("account", { unlock: true });
    expect((await own.ask("site", "GetPHPVersion")).body).toHaveLength(4);
    await own.stop();
  });

  const rules: [string, string, boolean][] = [
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["10.1.2.3-10.1.2.9", "10.1.2.7", true],
    ["10.1.2.3-10.1.2.9", "10.1.2.10", false],
    ["10.0.0.0/8", "10.200.1.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.1.*.*", "10.1.7.7", true],
    ["10.1.*.*", "10.2.7.7", false],
    ["all", "203.0.113.1", true],
    ["::/0", "203.0.113.1", true],
    ["2001:db8::1", "2001:db8::1", true],
  ];
  it.each(rules)("the rule %s and %s: %s", (rule, address, listed) => {
    expect(isListed([rule], address)).toBe(listed);
  });
});

describe("what is no call", () => {
  it("an unknown action is refused in words", async () => {
    const words = "Specific parameters are invalid!";
    expect(await panel.ask("site", "CreateWebsite")).toMatchObject(refusal(words));
  });

  it.each(["api/website/create", "api", "v2/site", "site/extra"])(
    "there is no /%s",
    async (path) => {
      const answer = await panel.ask(path, "AddSite", siteFields(newDomain()));
      expect(answer.status).toBe(404);
      expect(answer.body).toBeNull();
    },
  );

  it("sites take POST alone", async () => {
    const query = `request_time=1&request_token=${requestToken("0123456789abcdef0123456789ABCDEF", "1")}`;
    const get = (group: string, action: string) =>
      call("GET", `${panel.twin.url}/${group}?action=${action}&${query}`);
    expect((await get("site", "GetPHPVersion")).status).toBe(405);
    expect((await get("system", "GetSystemTotal")).status).toBe(200);
  });

  it("an address of more than 1024 characters is no page", async () => {
    const answer = await panel.ask("site", `GetPHPVersion&x=${"y".repeat(1024)}`);
    expect(answer.status).toBe(404);
  });
});

it("says in clear words that a port is taken", async () => {
  const clash = startAapanelTwin({ apiKey: "k", port: panel.twin.port });
  await expect(clash).rejects.toThrow(`aaPanel twin: port ${panel.twin.port} is taken`);
});
