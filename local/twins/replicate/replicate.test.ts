import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageFacts } from "../common/market/image.ts";
import { call } from "../testing/call.ts";
import { testPng } from "../testing/images.ts";
import { type Receiver, startReceiver } from "../testing/receiver.ts";
import { model } from "./engine.ts";
import { webhookSignature } from "./signature.ts";
import { type ReplicateTwin, startReplicateTwin } from "./twin.ts";

const token = "r8_test_0001";
const webhookSecret = "whsec_cmVwbGljYXRlLXRlc3Qtc2lnbmluZy1rZXktMDAwMDE=";
let twin: ReplicateTwin;
let receiver: Receiver;
let pictures: ReturnType<typeof createServer>;
let host: string;
let now = Date.now();

beforeAll(async () => {
  receiver = await startReceiver();
  twin = await startReplicateTwin({ token, webhookSecret, clock: () => now });
  pictures = createServer((request, response) => {
    if (request.url?.startsWith("/foto.png")) response.end(testPng(400, 300));
    else if (request.url === "/besar.png") response.end(testPng(1600, 1400));
    else if (request.url === "/teks.png") response.end("bukan gambar");
    else response.writeHead(302, { location: "/foto.png" }).end();
  });
  pictures.listen(0, "127.0.0.1");
  await once(pictures, "listening");
  host = `http://127.0.0.1:${(pictures.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await twin.stop();
  await receiver.stop();
  pictures.close();
  pictures.closeAllConnections();
});

const authorization = `Bearer ${token}`;
const create = (change: Record<string, unknown> = {}, headers: Record<string, string> = {}) => {
  const body = {
    version: model.version,
    input: { image: `${host}/foto.png`, scale: 2 },
    ...change,
  };
  return call("POST", `${twin.url}/v1/predictions`, body, { authorization, ...headers });
};
const read = (id: string) =>
  call("GET", `${twin.url}/v1/predictions/${id}`, undefined, { authorization });
const dial = (match: string, dials: Record<string, unknown>) =>
  call("PUT", `${twin.url}/_dials`, { match, ...dials });

it("signs a webhook as the documented vector", () => {
  const body =
    '{"id":"abc123","status":"succeeded","output":"https://replicate.delivery/x/out.png"}';
  expect(webhookSignature(webhookSecret, "msg_test_0001", "1700000000", body)).toBe(
    "v1,cvfj9Rt1HxIymAwuZMB2qZoiU5I7w18r/nyA3fr7CI8=",
  );
});

describe("a prediction", () => {
  it("that is waited for comes back done, its picture enlarged and open to all for an hour", async () => {
    const { status, body } = await create({}, { prefer: "wait" });
    expect({ status, state: body.status }).toEqual({ status: 201, state: "succeeded" });
    const fetchOutput = () => fetch(body.output);
    const picture = Buffer.from(await (await fetchOutput()).arrayBuffer());
    expect(imageFacts(picture)).toEqual({ type: "png", width: 800, height: 600 });
    now += 3_600_000;
    expect((await fetchOutput()).status).toBe(404);
    expect((await read(body.id)).body).toMatchObject({
      status: "succeeded",
      output: null,
      data_removed: true,
    });
  });

  it("that is not waited for starts, and tells its end in a signed webhook that holds it", async () => {
    const webhook = `${receiver.url}?job=7`;
    const { status, body } = await create({ webhook, webhook_events_filter: ["completed"] });
    expect({ status, state: body.status }).toEqual({ status: 201, state: "starting" });
    const [notice] = await receiver.until(
      1,
      ({ path, body: one }) => path === "/hook?job=7" && one.id === body.id,
    );
    const [id, time] = [notice?.headers["webhook-id"], notice?.headers["webhook-timestamp"]];
    const wanted = webhookSignature(webhookSecret, String(id), String(time), notice?.raw ?? "");
    expect(notice?.headers["webhook-signature"]).toBe(wanted);
    expect(notice?.body).toMatchObject({
      id: body.id,
      status: "succeeded",
      output: expect.any(String),
    });
  });

  it.each([
    ["a picture that is not there", "/pindah.png", "could not download"],
    ["a file that is no picture", "/teks.png", "cannot identify"],
    ["a picture too large for the hardware", "/besar.png", "GPU memory"],
  ])("of %s fails under HTTP 200", async (_name, path, words) => {
    const { body } = await create({ input: { image: host + path } }, { prefer: "wait" });
    expect(body).toMatchObject({
      status: "failed",
      output: null,
      error: expect.stringContaining(words),
    });
  });

  it("is cancelled on the way, and is then final", async () => {
    await dial("stay-1", { stay: true });
    const { body } = await create({ input: { image: `${host}/foto.png?stay-1` } });
    const ended = await call("POST", body.urls.cancel, {}, { authorization });
    expect(ended.body.status).toBe("aborted");
    expect((await read(body.id)).body.status).toBe("aborted");
  });

  it("is made twice by a repeated call: there is no key to tell them apart", async () => {
    const [first, second] = [await create(), await create()];
    expect(first.body.id).not.toBe(second.body.id);
  });
});

describe("a call is refused", () => {
  const input = { image: "https://assets.example/a.png" };
  const cases: [string, number, Record<string, unknown>][] = [
    ["without version", 422, { version: undefined }],
    ["with an unknown version", 422, { version: "0".repeat(64) }],
    ["without input", 422, { input: undefined }],
    ["without image", 422, { input: {} }],
    ["with an image over plain HTTP", 422, { input: { image: "http://assets.example/a.png" } }],
    ["with a scale of 11", 422, { input: { ...input, scale: 11 } }],
    ["with a scale as text", 422, { input: { ...input, scale: "4" } }],
    ["with a webhook over plain HTTP", 422, { webhook: "http://app.example/hook" }],
    ["with an unknown event", 422, { webhook_events_filter: ["done"] }],
  ];
  it.each(cases)("%s", async (_name, status, change) => {
    const answer = await create(change);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({
      status,
      title: expect.any(String),
      detail: expect.any(String),
    });
  });

  it("without the token, and with a wait of more than a minute", async () => {
    expect((await create({}, { authorization: "Bearer x" })).status).toBe(401);
    expect((await create({}, { prefer: "wait=61" })).status).toBe(400);
  });

  it("without credit, and past the rate, naming the seconds", async () => {
    await dial("poor-1", { lowCredit: true });
    const poor = () => create({ input: { image: `${host}/foto.png?poor-1` } });
    expect((await poor()).status).toBe(201);
    const answer = await poor();
    expect(answer).toMatchObject({
      status: 429,
      body: { detail: expect.stringMatching(/resets in ~\d+s/) },
    });
    await dial("none-1", { noCredit: true });
    expect((await create({ input: { image: `${host}/foto.png?none-1` } })).status).toBe(402);
  });
});

describe("faults", () => {
  it("the output is no picture, or lies elsewhere, when that is dialled", async () => {
    await dial("bad-1", { badOutput: true });
    const bad = await create({ input: { image: `${host}/foto.png?bad-1` } }, { prefer: "wait" });
    expect(await (await fetch(bad.body.output)).text()).toContain("not a picture");
    await dial("else-1", { outputHost: "https://evil.example" });
    const away = await create({ input: { image: `${host}/foto.png?else-1` } }, { prefer: "wait" });
    expect(new URL(away.body.output).host).toBe("evil.example");
  });

  it("a webhook is forged by hand, and may carry two signatures of which one is right", async () => {
    const webhook = `${receiver.url}?job=8`;
    await dial("two-1", { twoSignatures: true });
    const image = `${host}/foto.png?two-1`;
    const { body } = await create(
      { input: { image }, webhook, webhook_events_filter: ["completed"] },
      { prefer: "wait" },
    );
    const [two] = await receiver.until(1, ({ body: one }) => one.id === body.id);
    const signatures = String(two?.headers["webhook-signature"]).split(" ");
    const sign = (raw: string, headers: Record<string, unknown>) =>
      webhookSignature(
        webhookSecret,
        String(headers["webhook-id"]),
        String(headers["webhook-timestamp"]),
        raw,
      );
    expect(signatures).toHaveLength(2);
    expect(signatures[1]).toBe(sign(two?.raw ?? "", two?.headers ?? {}));
    await dial("two-1", {});
    await call("POST", `${twin.url}/_notify/${body.id}`, { sign: false });
    const [, forged] = await receiver.until(2, ({ body: one }) => one.id === body.id);
    expect(forged?.headers["webhook-signature"]).not.toBe(
      sign(forged?.raw ?? "", forged?.headers ?? {}),
    );
  });
});

it("tells the version and the webhook secret of the account", async () => {
  const get = (path: string) => call("GET", `${twin.url}/v1/${path}`, undefined, { authorization });
  expect((await get("models/nightmareai/real-esrgan")).body.latest_version.id).toBe(model.version);
  expect((await get("models/nobody/nothing")).status).toBe(404);
  expect((await get("webhooks/default/secret")).body).toEqual({ key: webhookSecret });
});
