import AnthropicSdk, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
} from "@anthropic-ai/sdk";
import { z } from "zod";
import type { Fetch } from "./http.ts";
import { type Failure, failureOfStatus, ProviderError, shortCode } from "./provider-error.ts";

/** What was said, in the blocks of Anthropic's Messages API (anthropic.md §2 and §3). */
export type TextBlock = { type: "text"; text: string };
export type ToolUseBlock = {
  type: "tool_use";
  id: string;
  name: string;
  input: Record<string, unknown>;
};
export type ToolResultBlock = {
  type: "tool_result";
  tool_use_id: string;
  content: string;
  is_error?: boolean | undefined;
};
export type AssistantBlock = TextBlock | ToolUseBlock;
export type ModelMessage =
  | { role: "user"; content: (TextBlock | ToolResultBlock)[] }
  | { role: "assistant"; content: AssistantBlock[] };

export interface ToolDefinition {
  name: string;
  description: string;
  /** JSON Schema of an object. */
  input_schema: { type: "object"; [key: string]: unknown };
}

export interface ModelRequest {
  /** `fixed` is the same for everybody and cached with the tools; `own` stands behind that mark. */
  system: { fixed: string; own: string };
  tools: ToolDefinition[];
  messages: ModelMessage[];
  maxTokens: number;
}

export interface ModelUsage {
  input: number;
  cacheWrite: number;
  cacheRead: number;
  output: number;
}

export type ModelEvent =
  | { kind: "usage"; usage: ModelUsage }
  | { kind: "text"; text: string }
  | { kind: "end"; content: AssistantBlock[]; stopReason: string };

export interface Anthropic {
  /** One answer of the model, as it is being written. Throws `ProviderError`; ends with `end` or throws. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent>;
}

export interface AnthropicOptions {
  apiKey: string;
  baseUrl: string;
  model: string;
  /** Until the answer begins. */
  timeoutMs: number;
  /** Between two events of an answer. */
  silenceMs: number;
  fetch: Fetch;
}

const count = z.number().int().nonnegative().nullish();
const Usage = z.object({
  input_tokens: count,
  cache_creation_input_tokens: count,
  cache_read_input_tokens: count,
  output_tokens: count,
});

const Started = z.object({ message: z.object({ usage: Usage }) });
const BlockStarted = z.object({
  index: z.number(),
  content_block: z.object({
    type: z.string(),
    text: z.string().optional(),
    id: z.string().optional(),
    name: z.string().optional(),
  }),
});
const Delta = z.object({
  index: z.number(),
  delta: z.object({
    type: z.string(),
    text: z.string().optional(),
    partial_json: z.string().optional(),
  }),
});
const Ended = z.object({
  delta: z.object({ stop_reason: z.string().nullish() }),
  usage: Usage.optional(),
});

/** The client of Anthropic's Messages API. Source: providers/anthropic.md; no retry once an answer has begun. */
export function createAnthropic(options: AnthropicOptions): Anthropic {
  const client = new AnthropicSdk({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    // Two tries: the chat's reader waits, and a longer storm is told to him.
    maxRetries: 1,
    timeout: options.timeoutMs,
    logLevel: "off",
    openTelemetry: false,
    fetch: (input, init) => options.fetch(String(input), init as RequestInit),
  });

  return {
    async *stream(request, signal) {
      const silence = new AbortController();
      const stop = AbortSignal.any([signal, silence.signal]);
      const watch = () => setTimeout(() => silence.abort(), options.silenceMs);
      let timer = setTimeout(() => undefined, 0);
      try {
        const events = await client.messages.create(bodyOf(options.model, request), {
          signal: stop,
        });
        const assembly = new Assembly();
        timer = watch();
        for await (const event of events) {
          clearTimeout(timer);
          yield* assembly.take(event);
          if (assembly.isWhole) return;
          timer = watch();
        }
        throw broken("the stream ended before the message did");
      } catch (error) {
        throw toProviderError(error, silence.signal.aborted);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

const CACHED = { cache_control: { type: "ephemeral" as const } };

/** Marks end the parts that come again: tools, the fixed prompt, and the talk so far (the next round adds to it). */
function bodyOf(model: string, { system, tools, messages, maxTokens }: ModelRequest) {
  const last = messages.length - 1;
  return {
    model,
    max_tokens: maxTokens,
    stream: true as const,
    system: [
      { type: "text" as const, text: system.fixed, ...CACHED },
      { type: "text" as const, text: system.own },
    ],
    tools: tools.map((tool, i) => (i === tools.length - 1 ? { ...tool, ...CACHED } : tool)),
    messages: messages.map(({ role, content }, i) => ({
      role,
      content: content.map((block, j) => {
        const plain = plainBlock(block);
        return i === last && j === content.length - 1 ? { ...plain, ...CACHED } : plain;
      }),
    })),
  };
}

function plainBlock(block: TextBlock | ToolUseBlock | ToolResultBlock) {
  if (block.type !== "tool_result") return block;
  const { is_error, ...rest } = block;
  return is_error === undefined ? rest : { ...rest, is_error };
}

interface OpenBlock {
  type: string;
  id: string;
  name: string;
  text: string;
  json: string;
}

/** Puts the events of one answer together (anthropic.md §2); kinds that it does not know are passed over. */
class Assembly {
  isWhole = false;
  readonly #blocks = new Map<number, OpenBlock>();
  #usage: ModelUsage = { input: 0, cacheWrite: 0, cacheRead: 0, output: 0 };
  #stopReason = "";

  *take(event: { type: string }): Generator<ModelEvent> {
    switch (event.type) {
      case "message_start":
        return yield this.#count(Started.parse(event).message.usage);
      case "content_block_start": {
        const { index, content_block: block } = BlockStarted.parse(event);
        const { type, id = "", name = "", text = "" } = block;
        this.#blocks.set(index, { type, id, name, text, json: "" });
        if (text) yield { kind: "text", text };
        return;
      }
      case "content_block_delta": {
        const { index, delta } = Delta.parse(event);
        const block = this.#blocks.get(index);
        if (!block) throw broken("a delta of a block that was not begun");
        if (delta.type === "input_json_delta") block.json += delta.partial_json ?? "";
        if (delta.type !== "text_delta" || !delta.text) return;
        block.text += delta.text;
        return yield { kind: "text", text: delta.text };
      }
      case "message_delta": {
        const { delta, usage } = Ended.parse(event);
        this.#stopReason = delta.stop_reason ?? this.#stopReason;
        if (usage) yield this.#count(usage);
        return;
      }
      case "message_stop":
        this.isWhole = true;
        return yield { kind: "end", content: this.#content(), stopReason: this.#stopReason };
    }
  }

  /** Counts are cumulative; what an event leaves out stays. */
  #count(usage: z.output<typeof Usage>): ModelEvent {
    this.#usage = {
      input: usage.input_tokens ?? this.#usage.input,
      cacheWrite: usage.cache_creation_input_tokens ?? this.#usage.cacheWrite,
      cacheRead: usage.cache_read_input_tokens ?? this.#usage.cacheRead,
      output: usage.output_tokens ?? this.#usage.output,
    };
    return { kind: "usage", usage: this.#usage };
  }

  #content(): AssistantBlock[] {
    const cut = this.#stopReason === "max_tokens";
    return [...this.#blocks].flatMap(([, block]): AssistantBlock[] => {
      if (block.type === "text") return block.text ? [{ type: "text", text: block.text }] : [];
      if (block.type !== "tool_use") return [];
      const input = objectOf(block.json);
      // A call whose input was cut off is no call.
      if (!input && cut) return [];
      return [{ type: "tool_use", id: block.id, name: block.name, input: input ?? {} }];
    });
  }
}

function objectOf(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json || "{}");
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? { ...value } : null;
  } catch {
    return null;
  }
}

const PROVIDER = "anthropic";

function broken(why: string): ProviderError {
  const failure: Failure = { kind: "bad_answer", retryable: true, outcome: "unknown" };
  return new ProviderError(PROVIDER, failure, `${PROVIDER}: ${why}`);
}

/** By type and status, never by the words, which may quote what was said. */
function toProviderError(error: unknown, wasSilent: boolean): ProviderError {
  const fail = (failure: Failure, why: string) =>
    new ProviderError(PROVIDER, failure, `${PROVIDER}: ${failure.kind}, ${why}`);
  const lost: Failure = { kind: "unavailable", retryable: true, outcome: "unknown" };
  if (wasSilent || error instanceof APIConnectionTimeoutError) {
    return fail({ ...lost, kind: "timeout" }, "no answer in time");
  }
  // The SDK ends an aborted stream as if it were whole, so silence is asked about first.
  if (error instanceof ProviderError) return error;
  if (error instanceof APIConnectionError) return fail(lost, "not reached");
  if (error instanceof APIError) {
    const status: number | undefined = error.status;
    const code = shortCode(error.errorCode ?? error.type);
    const failure = (status === undefined ? null : failureOfStatus(status)) ?? lost;
    return fail({ ...failure, code }, `status ${status ?? "none"}, code ${code ?? "none"}`);
  }
  if (error instanceof z.ZodError) return broken("an event of an unexpected shape");
  return fail(lost, error instanceof Error ? error.name : "the stream broke");
}
