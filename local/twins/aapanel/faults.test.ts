import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../testing/call.ts";
import { requestToken } from "./signature.ts";
import { apiKey, type Hosting, newDomain, siteFields, startHosting } from "./testing.ts";

let panel: Hosting;

beforeAll(async () => {
  panel = await startHosting();
});
afterAll(() => panel.stop());

const exists = async (domain: string) =>
  (await call("GET", `${panel.twin.url}/_sites/${domain}`)).status === 200;

describe("a call can be told", () => {
  const answers: [string, Record<string, unknown>, number, RegExp][] = [
    ["to answer a gateway's page", { rubbish: true }, 200, /Bad Gateway/],
    ["to answer as after an exception", { raise: true }, 404, /404 Not Found/],
    ["to be refused in words", { say: "Disk is full" }, 200, /"status":false,"msg":"Disk is full"/],
    ["to be refused by status", { refuse: 500 }, 500, /refused/],
  ];
  it.each(answers)("%s, without acting", async (_name, dial, status, text) => {
    const domain = newDomain();
    await panel.dial(domain, { ...dial, path: "AddSite" });
    const answer = await panel.ask("site", "AddSite", siteFields(domain));
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)]);
    expect(await exists(domain)).toBe(false);
  });

  it.each([["raise"], ["rubbish"], ["say"]])("to answer by %s after it acted", async (name) => {
    const domain = newDomain();
    await panel.dial(domain, { [name]: { acts: true, count: 1 } });
    await panel.ask("site", "AddSite", siteFields(domain));
    expect(await exists(domain)).toBe(true);
  });

  it("to act and lose the answer, or to be away", async () => {
    const domain = newDomain();
    await panel.dial(domain, { down: { acts: true, count: 1 } });
    await expect(panel.ask("site", "AddSite", siteFields(domain))).rejects.toThrow();
    expect(await exists(domain)).toBe(true);
    const other = newDomain();
    await panel.dial(other, { down: true });
    await expect(panel.ask("site", "AddSite", siteFields(other))).rejects.toThrow();
    expect(await exists(other)).toBe(false);
  });

  it("to act and never answer", async () => {
    const domain = newDomain();
    await panel.dial(domain, { timeOut: { count: 1 } });
    const time = "1";
    const signed = { request_time: time, request_token: requestToken(apiKey, time) };
    const body = new URLSearchParams({ ...signed, ...siteFields(domain) });
    const waiting = new AbortController();
    const asked = fetch(`${panel.twin.url}/site?action=AddSite`, {
      method: "POST",
      body,
      signal: waiting.signal,
    });
    await expect.poll(() => exists(domain)).toBe(true);
    waiting.abort();
    await expect(asked).rejects.toThrow();
  });

  it("by site, action and count, while other calls go on", async () => {
    const { id, domain } = await panel.site();
    const other = await panel.site();
    await panel.dial(domain, { path: "SiteStop", say: { value: "no", count: 1 } });
    const stop = (site: { id: string; domain: string }) =>
      panel.ask("site", "SiteStop", { id: site.id, name: site.domain });
    expect((await stop(other)).body.status).toBe(true);
    expect((await panel.ask("site", "SetEdate", { id, edate: "2027-01-01" })).body.status).toBe(
      true,
    );
    expect((await stop({ id, domain })).body).toEqual({ status: false, msg: "no" });
    expect((await stop({ id, domain })).body.status).toBe(true);
  });
});

it("remembers every call, its answer and the site it was about, and no token", async () => {
  const { id, domain } = await panel.site();
  await panel.ask("site", "SiteStop", { id, name: domain });
  const { body } = await call("GET", `${panel.twin.url}/_calls?match=${domain}`);
  expect(body.map((one: { action: string }) => one.action)).toEqual(["AddSite", "SiteStop"]);
  expect(body[1]).toMatchObject({ group: "site", fields: { id }, status: 200 });
  expect(JSON.stringify(body)).not.toContain("request_token");
});

it("refuses a certificate, when told that the domain points elsewhere", async () => {
  const { id, domain } = await panel.site();
  await panel.dial(domain, { noDns: true });
  const fields = { id, domains: JSON.stringify([domain]), auth_type: "http", auth_to: id };
  const { body } = await panel.ask("acme", "apply_cert_api", fields);
  expect(body.status).toBe(false);
  expect(body.msg).toHaveLength(2);
});
