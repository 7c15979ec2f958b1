import { Webhook } from "svix";
import { afterEach, describe, expect, test } from "vitest";
import { createReplicate } from "../replicate.ts";
import { failureOf, MISHAPS } from "../testing/failures.ts";
import { answer, broken, FakeNetwork, oversized } from "../testing/fake-network.ts";

const BASE = "https://api.replicate.com/v1";
const SECRET = "whsec_cmVwbGljYXRlLXRlc3Qtc2lnbmluZy1rZXktMDAwMDE=";
const VERSION = "42fed1c4974146d4d4414e2be2c5277c7fcf05fde3b22e94cee859b8a4a39d44";

const network = new FakeNetwork();
afterEach(() => network.verify());

const client = () =>
  createReplicate({
    token: "r8_test_0001",
    baseUrl: BASE,
    webhookSecret: SECRET,
    version: VERSION,
    timeoutMs: 25,
    fetch: network.fetch,
    random: () => 0,
    sleep: async () => undefined,
  });

const prediction = (changes: object = {}) => ({
  id: "p1",
  status: "processing",
  input: { image: "https://app.example/uploads/a.png?photo=1", scale: 2 },
  output: null,
  error: null,
  created_at: "2026-11-21T10:00:00.123456Z",
  metrics: {},
  ...changes,
});

const upscaling = {
  imageUrl: "https://app.example/uploads/a.png?photo=1",
  scale: 2.5,
  webhookUrl: "https://app.example/api/webhooks/replicate",
  waitSeconds: 1,
};

describe("createPrediction", () => {
  test("sends the documented request", async () => {
    network.on(
      "POST",
      `${BASE}/predictions`,
      answer(
        201,
        prediction({
          status: "succeeded",
          output: "https://replicate.delivery/x/out.png",
          metrics: { predict_time: 1.25 },
        }),
      ),
    );
    expect(await client().createPrediction(upscaling)).toEqual({
      id: "p1",
      status: "succeeded",
      image: upscaling.imageUrl,
      output: "https://replicate.delivery/x/out.png",
      error: null,
      isRemoved: false,
      createdAt: new Date("2026-11-21T10:00:00.123Z"),
      runMs: 1250,
    });
    expect(network.sent[0]?.headers).toMatchObject({
      authorization: "Bearer r8_test_0001",
      prefer: "wait=1",
      "cancel-after": "10m",
    });
    expect(network.firstJson()).toEqual({
      version: VERSION,
      input: { image: upscaling.imageUrl, scale: 2.5, face_enhance: false },
      webhook: upscaling.webhookUrl,
      webhook_events_filter: ["completed"],
    });
  });

  test.each([
    ["no credit", 402, "refused", "credit"],
    ["a wrong token", 401, "unauthorised", undefined],
    ["an unknown version", 422, "invalid", undefined],
  ] as const)("%s is final and did nothing", async (_name, status, kind, code) => {
    network.on("POST", `${BASE}/predictions`, answer(status, { title: "x", detail: "y", status }));
    const error = await failureOf(client().createPrediction(upscaling));
    expect(error).toMatchObject({ kind, code, retryable: false, outcome: "not_done" });
  });

  test.each(MISHAPS)(
    "reports $name as $kind, $outcome, and is never repeated by itself",
    async (mishap) => {
      network.on("POST", `${BASE}/predictions`, mishap.reply);
      const call = client().createPrediction({ ...upscaling, waitSeconds: 1 });
      const { kind, outcome, retryable } = mishap;
      expect(await failureOf(call)).toMatchObject({ kind, outcome, retryable });
    },
  );

  test.each([{ waitSeconds: 0 }, { waitSeconds: 61 }, { scale: 0 }, { scale: Number.NaN }])(
    "%j is refused before anything is sent",
    async (changes) => {
      const error = await failureOf(client().createPrediction({ ...upscaling, ...changes }));
      expect(error).toMatchObject({ kind: "invalid", outcome: "not_done" });
    },
  );
});

describe("a prediction", () => {
  test("whose metadata alone is left says so", async () => {
    const removed = prediction({ status: "succeeded", input: {}, data_removed: true });
    network.on("GET", `${BASE}/predictions/p1`, answer(200, removed));
    expect(await client().getPrediction("p1")).toMatchObject({
      image: null,
      output: null,
      isRemoved: true,
    });
  });

  test("may have a list as its output", async () => {
    const listed = prediction({
      status: "succeeded",
      output: ["https://replicate.delivery/a.png"],
    });
    network.on("GET", `${BASE}/predictions/p1`, answer(200, listed));
    expect((await client().getPrediction("p1")).output).toBe("https://replicate.delivery/a.png");
  });

  test("is cancelled by its id, and an id is no path", async () => {
    network.on(
      "POST",
      `${BASE}/predictions/p1/cancel`,
      answer(200, prediction({ status: "canceled" })),
    );
    await client().cancelPrediction("p1");
    await failureOf(client().getPrediction("../models"));
  });
});

describe("findPrediction", () => {
  const at = (created_at: string, image: string, id = "p9") =>
    prediction({ id, created_at, input: { image } });
  const since = new Date("2026-11-21T09:00:00Z");

  test("looks through pages by the cursor alone, up to the moment that it is asked for", async () => {
    network
      .on(
        "GET",
        `${BASE}/predictions`,
        answer(200, {
          next: "https://evil.example/v1/predictions?cursor=abc",
          results: [at("2026-11-21T10:00:00Z", "other")],
        }),
      )
      .on(
        "GET",
        `${BASE}/predictions?cursor=abc`,
        answer(200, {
          next: null,
          results: [at("2026-11-21T09:30:00Z", "mine")],
        }),
      );
    expect(await client().findPrediction("mine", since)).toMatchObject({ id: "p9" });
    network.on(
      "GET",
      `${BASE}/predictions`,
      answer(200, {
        next: `${BASE}/predictions?cursor=abc`,
        results: [at("2026-11-21T08:59:00Z", "other")],
      }),
    );
    expect(await client().findPrediction("mine", since)).toBeNull();
  });
});

describe("fetchOutput", () => {
  const fetchOutput = (url: string, most = 1000) => client().fetchOutput(url, most);

  test("reads from Replicate's hosts, without our token", async () => {
    for (const url of [
      "https://replicate.delivery/a/out.png",
      "https://pbxt.replicate.delivery/a.png",
      "https://api.replicate.com/a.png",
    ]) {
      network.on("GET", url, answer(200, "abc"));
      expect(new TextDecoder().decode((await fetchOutput(url)) ?? undefined)).toBe("abc");
    }
    expect(network.sent.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test.each([
    "https://evil.example/a.png",
    "https://replicate.delivery.evil.example/a.png",
    "https://evilreplicate.delivery/a.png",
    "http://replicate.delivery/a.png",
    "https://replicate.delivery:8443/a.png",
    "https://user@replicate.delivery/a.png",
    "file:///etc/passwd",
    "",
  ])("does not ask %s", async (url) => {
    expect(await failureOf(fetchOutput(url))).toMatchObject({
      kind: "bad_answer",
      retryable: false,
    });
    expect(network.sent).toEqual([]);
  });

  test("tells what is gone from what is away, follows nowhere and reads no more than allowed", async () => {
    const url = "https://replicate.delivery/out.png";
    network.on("GET", url, answer(404, ""));
    expect(await fetchOutput(url)).toBeNull();
    network.on("GET", url, answer(302, "", { location: "http://169.254.169.254/" }));
    expect(await failureOf(fetchOutput(url))).toMatchObject({ retryable: false });
    network.on("GET", url, oversized);
    expect(await failureOf(fetchOutput(url))).toMatchObject({ retryable: false });
    network.on("GET", url, answer(503, ""));
    expect(await failureOf(fetchOutput(url))).toMatchObject({ retryable: true });
    network.on("GET", url, broken(null));
    expect(await failureOf(fetchOutput(url))).toMatchObject({ retryable: true });
  });
});

/** The vector of providers/replicate.md §3. */
const SIGNED = {
  id: "msg_test_0001",
  timestamp: 1_700_000_000,
  body: '{"id":"abc123","status":"succeeded","output":"https://replicate.delivery/x/out.png"}',
  signature: "v1,cvfj9Rt1HxIymAwuZMB2qZoiU5I7w18r/nyA3fr7CI8=",
};
const later = (seconds: number) => new Date((SIGNED.timestamp + seconds) * 1000);

describe("parseWebhook", () => {
  const parse = (changes: Record<string, string> = {}, rawBody = SIGNED.body, now = later(0)) =>
    client().parseWebhook({
      headers: new Headers({
        "webhook-id": SIGNED.id,
        "webhook-timestamp": String(SIGNED.timestamp),
        "webhook-signature": SIGNED.signature,
        ...changes,
      }),
      rawBody,
      now,
    });

  test("accepts the vector, and what an independent signer signs", async () => {
    expect(await parse()).toMatchObject({ id: "abc123", status: "succeeded" });
    const body = JSON.stringify(prediction({ status: "failed", error: "no" }));
    const signature = new Webhook(SECRET).sign(SIGNED.id, later(0), body);
    expect(await parse({ "webhook-signature": signature }, body)).toMatchObject({
      status: "failed",
    });
  });

  test("one right signature among several is enough", async () => {
    const wrong = `v1,${"A".repeat(43)}=`;
    const list = `${wrong} v2,x ${SIGNED.signature}`;
    expect(await parse({ "webhook-signature": list })).not.toBeNull();
  });

  test.each([-301, 301, 86_400])("a clock %i s away is not tolerated", async (seconds) => {
    expect(await parse({}, SIGNED.body, later(seconds))).toBeNull();
  });

  test.each<[string, Record<string, string>]>([
    ["another id", { "webhook-id": "msg_other" }],
    ["another time", { "webhook-timestamp": String(SIGNED.timestamp + 1) }],
    ["a time that is no number", { "webhook-timestamp": "1e9" }],
    ["no signature", { "webhook-signature": "" }],
    ["another version", { "webhook-signature": SIGNED.signature.replace("v1", "v2") }],
    ["a bare signature", { "webhook-signature": SIGNED.signature.slice(3) }],
  ])("%s is refused", async (_name, changes) => {
    expect(await parse(changes)).toBeNull();
  });

  test("a changed body is refused, and so is one that wraps the prediction", async () => {
    expect(await parse({}, `${SIGNED.body} `)).toBeNull();
    const body = JSON.stringify({ type: "completed", data: prediction() });
    const signature = new Webhook(SECRET).sign(SIGNED.id, later(0), body);
    expect(await parse({ "webhook-signature": signature }, body)).toBeNull();
  });
});
