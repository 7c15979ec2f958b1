import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, call } from "../testing/call.ts";
import { testJpeg, testPng } from "../testing/images.ts";
import { press } from "../testing/market.ts";
import { type InstagramTwin, startInstagramTwin } from "./twin.ts";

const [appId, appSecret] = ["990602627938098", "test-instagram-secret-0001"];
const redirect = "https://shop.example/instagram/kembali";
const version = "v25.0";
let twin: InstagramTwin;
let pictures: ReturnType<typeof createServer>;
let host: string;
let now = Date.parse("2026-11-21T12:00:00+07:00");

beforeAll(async () => {
  twin = await startInstagramTwin({ appId, appSecret, redirectUrl: redirect, clock: () => now });
  const files = new Map([
    ["/foto.jpg", testJpeg(1080, 1080)],
    ["/lebar.jpg", testJpeg(1200, 600)],
    ["/foto.png", testPng()],
    ["/besar.jpg", Buffer.concat([testJpeg(), Buffer.alloc(9_000_000), Buffer.from([0xff, 0xd9])])],
  ]);
  pictures = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    if (file) response.end(file);
    else response.writeHead(302, { location: "/foto.jpg" }).end();
  });
  pictures.listen(0, "127.0.0.1");
  await once(pictures, "listening");
  host = `http://127.0.0.1:${(pictures.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await twin.stop();
  pictures.close();
  pictures.closeAllConnections();
});

interface Login {
  id: string;
  token: string;
}

async function form(path: string, fields: Record<string, string>): Promise<Answer> {
  const body = new URLSearchParams(fields);
  const response = await fetch(twin.url + path, { method: "POST", body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}
const exchange = (code: string, change: Record<string, string> = {}) =>
  form("/oauth/access_token", {
    client_id: appId,
    client_secret: appSecret,
    grant_type: "authorization_code",
    redirect_uri: redirect,
    code,
    ...change,
  });
const get = (path: string, query: Record<string, string>) =>
  call("GET", `${twin.url}${path}?${new URLSearchParams(query)}`);
const post = ({ id, token }: Login, what: string, fields: Record<string, string>) =>
  form(`/${version}/${id}/${what}`, { access_token: token, ...fields });
const dial = (match: string, dials: Record<string, unknown>) =>
  call("PUT", `${twin.url}/_dials`, { match, ...dials });

async function login(): Promise<Login> {
  const { body } = await call("POST", `${twin.url}/_authorise`, {});
  const { data } = (await exchange(body.code)).body;
  const long = await get("/access_token", {
    grant_type: "ig_exchange_token",
    client_secret: appSecret,
    access_token: data[0].access_token,
  });
  return { id: body.account_id, token: long.body.access_token };
}

async function container(as: Login, fields: Record<string, string> = {}): Promise<string> {
  const { body } = await post(as, "media", {
    image_url: `${host}/foto.jpg`,
    caption: "Kopi",
    ...fields,
  });
  if (!body.id) throw new Error(JSON.stringify(body));
  return body.id;
}

const status = async (as: Login, id: string) =>
  (await get(`/${version}/${id}`, { fields: "status_code", access_token: as.token })).body
    .status_code;

describe("a login", () => {
  const link = (change: Record<string, string> = {}) =>
    `${twin.url}/oauth/authorize?${new URLSearchParams({ client_id: appId, redirect_uri: redirect, response_type: "code", scope: "instagram_business_basic,instagram_business_content_publish", state: "s1", ...change })}`;

  it("returns with a code, Meta's mark behind it, which buys one short token", async () => {
    const answer = await press(link(), "Izinkan akun baru");
    const location = answer.headers.get("location") ?? "";
    expect(location).toMatch(/#_$/);
    const code = new URL(location).searchParams.get("code") ?? "";
    expect((await exchange(`${code}#_`)).status).toBe(400);
    expect((await exchange(code, { redirect_uri: `${redirect}/` })).status).toBe(400);
    const { body: first } = await exchange(code);
    expect(first.data[0]).toMatchObject({
      access_token: expect.any(String),
      user_id: expect.any(String),
    });
    expect((await exchange(code)).status).toBe(400);
  });

  it.each([
    ["old scopes", { scope: "business_basic" }],
    ["another redirect", { redirect_uri: "https://evil.example/" }],
    ["another app", { client_id: "1" }],
  ])("with %s is refused", async (_name, change) => {
    expect((await fetch(link(change))).status).toBe(400);
  });

  it("publishes under another id than the exchange names", async () => {
    const { body } = await call("POST", `${twin.url}/_authorise`, {});
    const { data } = (await exchange(body.code)).body;
    const me = await get("/me", { fields: "user_id,username", access_token: data[0].access_token });
    expect(me.body.data[0].user_id).toBe(body.account_id);
    expect(me.body.data[0].user_id).not.toBe(data[0].user_id);
  });

  it("is lengthened to sixty days, and again when it is a day old", async () => {
    const me = await login();
    const refresh = () =>
      get("/refresh_access_token", { grant_type: "ig_refresh_token", access_token: me.token });
    expect((await refresh()).body.error.code).toBe(100);
    await call("POST", `${twin.url}/_age/${me.id}`, { seconds: 50 * 86_400 });
    expect((await refresh()).body).toMatchObject({ token_type: "bearer", expires_in: 5_184_000 });
    await call("POST", `${twin.url}/_age/${me.id}`, { seconds: 60 * 86_400 });
    expect((await refresh()).body.error).toMatchObject({ code: 190, type: "OAuthException" });
  });

  it("ends when the seller revokes it", async () => {
    const me = await login();
    await call("POST", `${twin.url}/_revoke/${me.id}`, {});
    expect((await post(me, "media", { image_url: `${host}/foto.jpg` })).body.error.code).toBe(190);
  });
});

describe("a post", () => {
  it("must be waited for, and a repeated publish makes another", async () => {
    const me = await login();
    const id = await container(me);
    expect(await status(me, id)).toBe("IN_PROGRESS");
    const early = await post(me, "media_publish", { creation_id: id });
    expect(early.body.error).toMatchObject({ code: 9007, error_subcode: 2207027 });
    now += 1000;
    expect(await status(me, id)).toBe("FINISHED");
    const first = await post(me, "media_publish", { creation_id: id });
    expect(await status(me, id)).toBe("PUBLISHED");
    const second = await post(me, "media_publish", { creation_id: id });
    expect(second.body.id).not.toBe(first.body.id);
    const { accounts } = (await get("/_state", { account_id: me.id })).body;
    expect(accounts[0].posts).toHaveLength(2);
  });

  it("of several pictures has two to ten of them, each its own container", async () => {
    const me = await login();
    const item = () => container(me, { is_carousel_item: "true" });
    const children = [await item(), await item()];
    const few = await post(me, "media", {
      media_type: "CAROUSEL",
      children: children.slice(1).join(","),
    });
    expect(few.body.error.error_subcode).toBe(2207028);
    const id = await container(me, { media_type: "CAROUSEL", children: children.join(",") });
    now += 1000;
    expect((await post(me, "media_publish", { creation_id: id })).status).toBe(200);
  });

  it("keeps to the account's limit of 24 hours", async () => {
    const me = await login();
    await dial(me.id, { quota: 1 });
    const [first, second] = [await container(me), await container(me)];
    now += 1000;
    expect((await post(me, "media_publish", { creation_id: first })).status).toBe(200);
    const query = { fields: "quota_usage,config", access_token: me.token };
    const limit = await get(`/${version}/${me.id}/content_publishing_limit`, query);
    expect(limit.body.data).toEqual([
      { quota_usage: 1, config: { quota_total: 1, quota_duration: 86_400 } },
    ]);
    const over = await post(me, "media_publish", { creation_id: second });
    expect(over.body.error).toMatchObject({ code: 9, error_subcode: 2207042 });
  });

  it("can not be made of a container that is a day old", async () => {
    const me = await login();
    const id = await container(me);
    now += 86_400_000;
    expect(await status(me, id)).toBe("EXPIRED");
    expect((await post(me, "media_publish", { creation_id: id })).body.error.error_subcode).toBe(
      2207008,
    );
  });
});

describe("a container is refused", () => {
  const cases: [string, number, Record<string, string>][] = [
    ["whose picture redirects", 9004, { image_url: "/pindah.jpg" }],
    ["whose picture is a PNG", 36_001, { image_url: "/foto.png" }],
    ["whose picture is too wide", 36_003, { image_url: "/lebar.jpg" }],
    ["whose picture is too large", 36_000, { image_url: "/besar.jpg" }],
    ["with a long caption", 36_004, { caption: "a".repeat(2201) }],
    [
      "with 31 hashtags",
      36_004,
      { caption: Array.from({ length: 31 }, (_, n) => `#k${n}`).join(" ") },
    ],
    ["with a time to publish", 100, { scheduled_publish_time: "1800000000" }],
  ];
  it.each(cases)("%s", async (_name, code, change) => {
    const me = await login();
    const path = change.image_url ?? "/foto.jpg";
    const { body } = await post(me, "media", { caption: "", ...change, image_url: host + path });
    expect(body.error).toMatchObject({ code, fbtrace_id: expect.any(String) });
  });

  it("in another's account, and over plain HTTP elsewhere", async () => {
    const [me, other] = [await login(), await login()];
    const foreign = await post({ ...me, id: other.id }, "media", { image_url: `${host}/foto.jpg` });
    expect(foreign.body.error.code).toBe(24);
    const plain = await post(me, "media", { image_url: "http://assets.example/a.jpg" });
    expect(plain.body.error.code).toBe(9004);
  });
});

describe("faults", () => {
  it("an error of the table comes when it is dialled, and a container fails", async () => {
    const me = await login();
    await dial(me.id, { wrong: { value: "spam", count: 1 } });
    expect((await post(me, "media", { image_url: `${host}/foto.jpg` })).body.error).toMatchObject({
      code: 4,
      error_subcode: 2207051,
    });
    await dial(me.id, { containerFails: true });
    const id = await container(me);
    now += 1000;
    expect(await status(me, id)).toBe("ERROR");
  });

  it("a publish whose answer is lost has published", async () => {
    const me = await login();
    const id = await container(me);
    now += 1000;
    await dial(me.id, { down: { acts: true, path: "/media_publish" } });
    await expect(post(me, "media_publish", { creation_id: id })).rejects.toThrow();
    expect(await status(me, id)).toBe("PUBLISHED");
  });

  it("answers bare objects when that is dialled, as some have met them", async () => {
    const me = await login();
    await dial(me.id, { bareAnswers: true });
    const { body } = await get("/me", { fields: "user_id,username", access_token: me.token });
    expect(body).toMatchObject({ user_id: me.id });
  });
});
