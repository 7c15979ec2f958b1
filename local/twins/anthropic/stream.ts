import { randomBytes } from "node:crypto";
import type { Json } from "../common/fields.ts";
import { type Asked, type Block, type Model, type Turn, tokensOf } from "./engine.ts";

export interface Usage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
}

/** The blocks of a turn as the API shows them. */
export function contentOf(blocks: Block[]): Json[] {
  return blocks.map((block) =>
    "text" in block
      ? { type: "text", text: block.text }
      : {
          type: "tool_use",
          id: `toolu_${randomBytes(12).toString("hex")}`,
          name: block.tool,
          input: block.input,
        },
  );
}

export function stopReasonOf({ stopReason, blocks }: Turn): string {
  return stopReason ?? (blocks.some((block) => "tool" in block) ? "tool_use" : "end_turn");
}

const event = (name: string, data: Json) =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;

/** Words in pieces of a few characters, as a model writes them. */
const piecesOf = (text: string) => text.match(/[\s\S]{1,12}/gu) ?? [];

/** The first piece of an input is empty, and a piece may end anywhere (anthropic.md §2). */
const inputPieces = (input: unknown) => ["", ...piecesOf(JSON.stringify(input))];

interface Piece {
  text: string;
  /** One that the model pauses before. */
  isDelta?: boolean;
  isText?: boolean;
}

/** Every event of an answer in the order of the real one, a ping after the first block has begun. */
function* eventsOf(asked: Asked, message: Json, content: Json[], usage: Usage): Generator<Piece> {
  const begun = { ...usage, output_tokens: 1 };
  const empty = { ...message, content: [], stop_reason: null, stop_sequence: null, usage: begun };
  yield { text: event("message_start", { message: empty }) };
  for (const [index, block] of content.entries()) {
    const isText = block.type === "text";
    const start = isText ? { type: "text", text: "" } : { ...block, input: {} };
    yield { text: event("content_block_start", { index, content_block: start }) };
    if (index === 0) yield { text: event("ping", {}) };
    const pieces = isText ? piecesOf(String(block.text)) : inputPieces(block.input);
    for (const piece of pieces) {
      const delta = isText
        ? { type: "text_delta", text: piece }
        : { type: "input_json_delta", partial_json: piece };
      yield { text: event("content_block_delta", { index, delta }), isDelta: true, isText };
    }
    yield { text: event("content_block_stop", { index }) };
  }
  const { stop_reason, stop_sequence } = message;
  const delta = { stop_reason, stop_sequence };
  yield { text: event("message_delta", { delta, usage: { output_tokens: usage.output_tokens } }) };
  yield { text: event("message_stop", {}) };
  asked.answer = { content, stop_reason };
}

/** The answer as it goes over the wire, with the pauses and faults that are asked for. */
export async function* streamOf(
  model: Model,
  turn: Turn,
  asked: Asked,
  answer: { message: Json; content: Json[]; usage: Usage; raw: string },
): AsyncGenerator<string> {
  const { raw } = answer;
  const firstMs = turn.firstMs ?? model.own.number("firstMs", raw, 0);
  const deltaMs = turn.deltaMs ?? model.own.number("deltaMs", raw, 0);
  const breakAfter = turn.breakAfter ?? dialled(model, "breakOff", raw);
  const silentAfter = turn.silentAfter ?? dialled(model, "silent", raw);
  const errorType = model.own.text("errorEvent", raw, "overloaded_error");
  const errorAfter = turn.errorAfter ?? (errorType === null ? undefined : 4);
  let sent = 0;
  let isWhole = false;
  try {
    if (firstMs > 0) await model.timers.wait(firstMs);
    for (const piece of eventsOf(asked, answer.message, answer.content, answer.usage)) {
      if (sent === errorAfter) {
        const error = { type: errorType ?? "overloaded_error", message: "Overloaded" };
        isWhole = true;
        return yield event("error", { error });
      }
      if (sent === breakAfter) throw new Error("the connection is to break");
      if (sent === silentAfter) await new Promise<never>(() => undefined);
      if (piece.isDelta && deltaMs > 0) await model.timers.wait(deltaMs);
      if (piece.isText) asked.firstTextAt ??= performance.timeOrigin + performance.now();
      yield piece.text;
      sent += 1;
    }
    isWhole = true;
  } finally {
    asked.left = !isWhole;
  }
}

function dialled(model: Model, name: "breakOff" | "silent", raw: string): number | undefined {
  const dial = model.own.take(name, raw);
  if (!dial) return undefined;
  return typeof dial.value === "number" ? dial.value : 4;
}

/** What the answer costs: what is read, what of it the cache holds, what is written. */
export function usageOf(
  whole: number,
  cache: { read: number; write: number },
  content: Json[],
): Usage {
  return {
    input_tokens: Math.max(0, whole - cache.read - cache.write),
    cache_creation_input_tokens: cache.write,
    cache_read_input_tokens: cache.read,
    output_tokens: Math.max(1, tokensOf(JSON.stringify(content))),
  };
}
