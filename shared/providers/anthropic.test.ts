import { describe, expect, it } from "vitest";
import { createAnthropic, type ModelEvent } from "./anthropic.ts";
import type { Fetch } from "./http.ts";

const apiKey = "sk-ant-uji-0001";
const request = {
  system: { fixed: "tetap", own: "milik" },
  tools: [{ name: "cari", description: "", input_schema: { type: "object" as const } }],
  messages: [{ role: "user" as const, content: [{ type: "text" as const, text: "halo" }] }],
  maxTokens: 10,
};

const event = (type: string, data: object = {}) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
const usage = { input_tokens: 7, cache_read_input_tokens: 3, output_tokens: 1 };
const START = event("message_start", {
  message: { id: "m", role: "assistant", content: [], usage },
});
const begin = (index: number, block: object) =>
  event("content_block_start", { index, content_block: block });
const delta = (index: number, change: object) =>
  event("content_block_delta", { index, delta: change });
const words = (text: string) => delta(0, { type: "text_delta", text });
const end = (reason: string) =>
  event("message_delta", { delta: { stop_reason: reason }, usage: { output_tokens: 5 } }) +
  event("message_stop");

/** A client whose provider answers with these pieces, and what it was asked. */
function answering(pieces: string[], { hangs = false, silenceMs = 1_000 } = {}) {
  const calls: { url: string; headers: Headers; body: unknown }[] = [];
  const send: Fetch = async (input, init) => {
    calls.push({
      url: input,
      headers: new Headers(init?.headers),
      body: JSON.parse(String(init?.body)),
    });
    const encoder = new TextEncoder();
    const body = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(encoder.encode(piece));
        if (!hangs) controller.close();
        init?.signal?.addEventListener("abort", () =>
          controller.error(new DOMException("", "AbortError")),
        );
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  const baseUrl = "https://model.example/gateway";
  const options = { apiKey, baseUrl, model: "claude-x", timeoutMs: 1_000, silenceMs, fetch: send };
  return { client: createAnthropic(options), calls };
}

async function all(events: AsyncGenerator<ModelEvent>): Promise<ModelEvent[]> {
  const list: ModelEvent[] = [];
  for await (const one of events) list.push(one);
  return list;
}

const never = new AbortController().signal;

describe("the model's stream", () => {
  it("is asked for with the key, below the configured address, marked for the cache", async () => {
    const { client, calls } = answering([
      START,
      begin(0, { type: "text", text: "" }),
      words("a"),
      end("end_turn"),
    ]);
    await all(client.stream(request, never));
    const [call] = calls;
    expect(call?.url).toBe("https://model.example/gateway/v1/messages");
    expect(call?.headers.get("anthropic-version")).toBe("2026-10-21");
    const keys = [call?.headers.get("authorization"), call?.headers.get("x-api-key")];
    expect(keys.filter(Boolean).join()).toContain(apiKey);
    const mark = { type: "ephemeral" };
    expect(call?.body).toMatchObject({
      model: "claude-x",
      max_tokens: 10,
      stream: true,
      system: [{ text: "tetap", cache_control: mark }, { text: "milik" }],
      tools: [{ name: "cari", cache_control: mark }],
      messages: [{ role: "user", content: [{ text: "halo", cache_control: mark }] }],
    });
  });

  it("gives words as they come, joins a call's input at its end, and passes over what it does not know", async () => {
    const { client } = answering([
      START,
      event("ping"),
      begin(0, { type: "text", text: "" }),
      words("Ba"),
      event("new_kind_of_event", { x: 1 }),
      words("ik"),
      event("content_block_stop", { index: 0 }),
      begin(1, { type: "thinking", thinking: "" }),
      delta(1, { type: "thinking_delta", thinking: "hm" }),
      begin(2, { type: "tool_use", id: "t1", name: "cari", input: {} }),
      ...["", '{"limit":', "5}"].map((json) =>
        delta(2, { type: "input_json_delta", partial_json: json }),
      ),
      end("tool_use"),
    ]);
    const events = await all(client.stream(request, never));
    expect(events.filter(({ kind }) => kind === "text")).toEqual([
      { kind: "text", text: "Ba" },
      { kind: "text", text: "ik" },
    ]);
    expect(events.at(-1)).toEqual({
      kind: "end",
      stopReason: "tool_use",
      content: [
        { type: "text", text: "Baik" },
        { type: "tool_use", id: "t1", name: "cari", input: { limit: 5 } },
      ],
    });
    expect(events.filter(({ kind }) => kind === "usage").at(-1)).toEqual({
      kind: "usage",
      usage: { input: 7, cacheWrite: 0, cacheRead: 3, output: 5 },
    });
  });

  it("without its end is a failure, and so are an error event, a strange event and silence", async () => {
    const text = begin(0, { type: "text", text: "" });
    const error = event("error", { error: { type: "overloaded_error", message: "rahasia" } });
    for (const [pieces, options, kind] of [
      [[START, text, words("a")], {}, "bad_answer"],
      [[START, text, words("a"), error], {}, "unavailable"],
      [[START, event("content_block_start", { index: "x" })], {}, "bad_answer"],
      [[START, text], { hangs: true, silenceMs: 20 }, "timeout"],
    ] as const) {
      const { client, calls } = answering([...pieces], options);
      const failure = await all(client.stream(request, never)).catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ name: "ProviderError", provider: "anthropic", kind });
      expect(String(failure)).not.toContain("rahasia");
      expect(calls).toHaveLength(1);
    }
  });

  it("ends at once when nobody wants it any more", async () => {
    const { client } = answering([START], { hangs: true });
    const reader = new AbortController();
    const events = client.stream(request, reader.signal);
    await events.next();
    reader.abort();
    await expect(events.next()).rejects.toMatchObject({ name: "ProviderError" });
  });
});
