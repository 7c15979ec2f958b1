import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../testing/call.ts";
import { type AnthropicTwin, startAnthropicTwin } from "./twin.ts";

const apiKey = "sk-ant-test-0001";
let twin: AnthropicTwin;
let now = Date.now();

beforeAll(async () => {
  twin = await startAnthropicTwin({ apiKey, clock: () => now });
});
afterAll(async () => await twin.stop());

type Json = Record<string, unknown>;
const headers = { "x-api-key": apiKey, "anthropic-version": "2026-10-21" };
const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });
const body = (change: Json = {}) => ({
  model: "claude-sonnet-4-6",
  max_tokens: 100,
  messages: [user("halo")],
  ...change,
});
const send = (change: Json = {}, given: Record<string, string> = headers, path = "/v1/messages") =>
  call("POST", twin.url + path, body(change), given);
const script = (match: string, turns: Json[], loop = false) =>
  call("PUT", `${twin.url}/_scripts`, { match, turns, loop });

interface Event {
  name: string;
  data: Json;
}

/** A stream's events, and whether it ended as it should. */
async function stream(
  message: string,
  change: Json = {},
): Promise<{ events: Event[]; whole: boolean }> {
  const response = await fetch(`${twin.url}/v1/messages`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body({ stream: true, messages: [user(message)], ...change })),
  });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  let text = "";
  let whole = true;
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const piece = await reader?.read();
      if (!piece || piece.done) break;
      text += new TextDecoder().decode(piece.value);
    }
  } catch {
    whole = false;
  }
  const events = text
    .split("\n\n")
    .filter(Boolean)
    .map((block) => {
      const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      return { name, data: JSON.parse(data) as Json };
    });
  return { events, whole };
}

describe("who may ask", () => {
  it("is whoever has the key, in either header, under any prefix", async () => {
    const bearer = { authorization: `Bearer ${apiKey}`, "anthropic-version": "2023-06-01" };
    expect((await send()).status).toBe(200);
    expect((await send({}, bearer)).status).toBe(200);
    expect((await send({}, headers, "/gateway/v1/messages")).status).toBe(200);
  });

  it.each([
    ["no key", { "anthropic-version": "2026-10-21" }, 401, "authentication_error"],
    ["a wrong key", { ...headers, "x-api-key": "sk" }, 401, "authentication_error"],
    ["no version", { "x-api-key": apiKey }, 400, "invalid_request_error"],
    [
      "an unknown version",
      { ...headers, "anthropic-version": "2020-01-01" },
      400,
      "invalid_request_error",
    ],
  ])("is not one with %s", async (_, given, status, type) => {
    const answer = await send({}, given as Record<string, string>);
    expect([answer.status, answer.body]).toEqual([
      status,
      {
        type: "error",
        error: { type, message: expect.any(String) },
        request_id: expect.any(String),
      },
    ]);
  });
});

const use = (id: string) => ({ type: "tool_use", id, name: "x", input: {} });
const result = (id: string) => ({ type: "tool_result", tool_use_id: id, content: "ok" });
const text = (words: string) => ({ type: "text", text: words });
const mark = { cache_control: { type: "ephemeral" } };

describe("a request", () => {
  it.each<[string, Json]>([
    ["no model", { model: undefined }],
    ["no limit", { max_tokens: 0 }],
    ["no message", { messages: [] }],
    ["a field that is not known", { mesages: [] }],
    ["a temperature", { temperature: 0.5 }],
    ["an assistant first", { messages: [assistant("halo")] }],
    ["an empty text", { messages: [user([text("")])] }],
    ["another role", { messages: [{ role: "system", content: "x" }] }],
    ["a call without its result", { messages: [user("a"), assistant([use("t1")]), user("b")] }],
    ["a call at the end", { messages: [user("a"), assistant([use("t1")])] }],
    [
      "one of two results",
      { messages: [user("a"), assistant([use("t1"), use("t2")]), user([result("t1")])] },
    ],
    ["a result without its call", { messages: [user([result("t1")])] }],
    [
      "a result too late",
      {
        messages: [
          user("a"),
          assistant([use("t1")]),
          user("b"),
          assistant("c"),
          user([result("t1")]),
        ],
      },
    ],
    [
      "a result behind words",
      { messages: [user("a"), assistant([use("t1")]), user([text("x"), result("t1")])] },
    ],
    ["a result in an assistant's message", { messages: [user("a"), assistant([result("t1")])] }],
    ["a call in a user's message", { messages: [user([use("t1")])] }],
    [
      "two calls of one id",
      { messages: [user("a"), assistant([use("t1"), use("t1")]), user([result("t1")])] },
    ],
    ["five marks", { messages: [user([1, 2, 3, 4, 5].map(() => ({ ...text("a"), ...mark })))] }],
    ["a mark of another kind", { system: [{ ...text("a"), cache_control: { type: "forever" } }] }],
    [
      "two tools of one name",
      { tools: ["a", "a"].map((name) => ({ name, input_schema: { type: "object" } })) },
    ],
    ["a tool without a schema", { tools: [{ name: "a" }] }],
  ])("with %s is refused", async (_, change) => {
    const answer = await send(change);
    expect([answer.status, answer.body.error?.type]).toEqual([400, "invalid_request_error"]);
  });

  it("with calls and their results in order is taken", async () => {
    const messages = [
      user("a"),
      assistant([text("saya lihat"), use("t1"), use("t2")]),
      user([result("t2"), { ...result("t1"), is_error: true }, text("dan?")]),
    ];
    expect((await send({ messages })).status).toBe(200);
  });

  it("for a model that is none is answered 404", async () => {
    expect((await send({ model: "gpt-4" })).body.error.type).toBe("not_found_error");
  });

  it("with a temperature is taken in the older version", async () => {
    const older = { ...headers, "anthropic-version": "2023-06-01" };
    expect((await send({ temperature: 0.5 }, older)).status).toBe(200);
  });
});

describe("a stream", () => {
  it("has every event in the order of the real one, with a ping, and tool input in pieces", async () => {
    await script("urutan", [
      { blocks: [{ text: "Baik." }, { tool: "cari", input: { limit: 5, kata: "kopi" } }] },
    ]);
    const { events, whole } = await stream("urutan");
    expect(whole).toBe(true);
    const names = events.map(({ name }) => name);
    expect(events.map(({ data }) => data.type)).toEqual(names);
    expect(names.join(" ")).toMatch(
      /^message_start content_block_start ping content_block_delta content_block_stop content_block_start (content_block_delta )+content_block_stop message_delta message_stop$/,
    );
    const deltas = events.filter(({ data }) => data.index === 1 && data.delta);
    const pieces = deltas.map(({ data }) => (data.delta as Json).partial_json);
    expect(pieces[0]).toBe("");
    expect(pieces.length).toBeGreaterThan(2);
    expect(JSON.parse(pieces.join(""))).toEqual({ limit: 5, kata: "kopi" });
    expect(events.at(-2)?.data).toMatchObject({ delta: { stop_reason: "tool_use" } });
    expect(events[0]?.data.message).toMatchObject({
      content: [],
      stop_reason: null,
      usage: { output_tokens: 1 },
    });
  });

  it("takes the next turn of its script with each call, and of no other script", async () => {
    await script("naskah-a", [{ blocks: [{ text: "satu" }] }, { blocks: [{ text: "dua" }] }]);
    await script("naskah-b", [{ blocks: [{ text: "lain" }] }]);
    const said = async (word: string) =>
      (await send({ messages: [user(word)] })).body.content[0].text;
    expect([await said("naskah-a"), await said("naskah-b"), await said("naskah-a")]).toEqual([
      "satu",
      "lain",
      "dua",
    ]);
    expect(await said("naskah-a")).toContain("Halo");
  });

  it("breaks, ends in an error event, or falls silent where it is told to", async () => {
    await script("putus", [{ blocks: [{ text: "kalimat yang panjang" }], break_after: 4 }]);
    const broken = await stream("putus");
    expect([broken.whole, broken.events.length]).toEqual([false, 4]);
    await script("galat", [{ blocks: [{ text: "kalimat yang panjang" }], error_after: 4 }]);
    const failed = await stream("galat");
    expect(failed.events.at(-1)).toMatchObject({
      name: "error",
      data: { error: { type: "overloaded_error" } },
    });
    expect(failed.events).toHaveLength(5);
  });

  it.each([
    ["rate", 429, "rate_limit_error", "7"],
    ["overloaded", 529, "overloaded_error", null],
    ["spend", 429, "rate_limit_error", null],
  ])("is refused by the dial %s", async (dial, status, type, wait) => {
    await call("PUT", `${twin.url}/_dials`, {
      match: `putar-${dial}`,
      [dial]: wait ? Number(wait) : true,
    });
    const answer = await send({ messages: [user(`putar-${dial}`)] });
    expect([answer.status, answer.body.error.type, answer.headers.get("retry-after")]).toEqual([
      status,
      type,
      wait,
    ]);
  });
});

it("what is marked is written to the cache once, read from it for five minutes, and then written again", async () => {
  const system = [{ ...text(`tetap ${"x".repeat(8_000)}`), ...mark }, text("hari ini")];
  const usage = async (words: string) =>
    (await send({ system, messages: [user(words)] })).body.usage;
  const first = await usage("satu");
  expect(first).toMatchObject({ cache_read_input_tokens: 0 });
  expect(first.cache_creation_input_tokens).toBeGreaterThan(2_000);
  expect(await usage("dua")).toMatchObject({
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: first.cache_creation_input_tokens,
  });
  now += 300_001;
  expect(await usage("tiga")).toMatchObject({ cache_read_input_tokens: 0 });
});

it("a fooled model calls what it reads, once", async () => {
  const order = `{{hapus:${Buffer.from('{"id":7}').toString("base64url")}}}`;
  await script("tertipu", [{ blocks: [], obey: true }], true);
  const first = await send({ messages: [user(`tertipu ${order}`)] });
  expect(first.body.content).toMatchObject([{ type: "tool_use", name: "hapus", input: { id: 7 } }]);
  const messages = [
    user(`tertipu ${order}`),
    assistant(first.body.content),
    user([result(first.body.content[0].id)]),
  ];
  expect((await send({ messages })).body.content).toEqual([]);
});

it("its page shows what was asked and answered", async () => {
  await send({ messages: [user("<b>tampil</b>")] });
  const page = await (await fetch(twin.url)).text();
  expect(page).toContain("&lt;b&gt;tampil&lt;/b&gt;");
});
