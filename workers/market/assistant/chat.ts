import type { Ctx } from "../../../shared/context.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { describeError } from "../../../shared/log.ts";
import type { Anthropic, AssistantBlock } from "../../../shared/providers/anthropic.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { answerCall } from "./act.ts";
import { MAX_TOKENS, MOST_ROUNDS } from "./budget.ts";
import { askForYes, decide } from "./confirm.ts";
import { looksCopied } from "./data.ts";
import { type Decision, decisionOf } from "./decisions.ts";
import { FIXED_PROMPT, ownPrompt } from "./prompt.ts";
import type { ChatInput } from "./schemas.ts";
import { openEventStream } from "./sse.ts";
import { toolsFor } from "./tools/index.ts";
import { beginTurn, endTurn, TURN_MS, Turn } from "./turn.ts";

/**
 * Answers a seller or an admin, word by word. Errors before the first byte: `not_configured`, `forbidden`, `not_found`
 * (a session of somebody else), `in_progress`, `rate_limited`; afterwards an error event, and the session stays usable.
 * Source: spec/tokoblitar.md, POST /api/ai/chat.
 */
export async function chat(
  ctx: Ctx,
  input: ChatInput,
): Promise<{ sessionId: string; body: ReadableStream<Uint8Array> }> {
  const model = ctx.providers.anthropic;
  if (!model) throw new AppError("not_configured", "Asisten AI belum diaktifkan di server ini");
  const decision = decisionOf(input.message);
  const begun = await beginTurn(ctx, input, decision);
  const out = openEventStream();
  const turn = new Turn(ctx, { ...begun, out, message: input.message });
  const asked = {
    role: "user" as const,
    content: [{ type: "text" as const, text: input.message }],
  };
  turn.keep(asked, { fromOutside: looksCopied(input.message) });
  ctx.waitUntil(run(turn, model, decision));
  return { sessionId: begun.opened.session_id, body: out.readable };
}

async function run(turn: Turn, model: Anthropic, decision: Decision): Promise<void> {
  const { ctx, out } = turn;
  try {
    if (turn.opened.waiting.length > 0) await decide(turn, decision);
    else await converse(turn, model);
  } catch (error) {
    out.error(wordsFor(ctx, error, out.gone.aborted));
  }
  if (turn.proposals.length > 0) {
    if (!out.gone.aborted) turn.say(`\n\n${askForYes(turn.proposals)}`, NAMED);
    await out.noticed();
    if (out.gone.aborted) turn.say(`\n\n${UNREAD}`, NAMED);
  }
  // The next message must find an answer to this one, or the model's API refuses the talk.
  if (turn.said.at(-1)?.message.role !== "assistant") {
    turn.keep({ role: "assistant", content: [{ type: "text", text: "(jawaban terputus)" }] });
  }
  try {
    await endTurn(turn);
  } catch (error) {
    ctx.log.error("turn of the assistant not stored", describeError(error));
    out.error("Percakapan ini tidak tersimpan. Coba lagi sebentar lagi.");
  }
  out.close();
}

/** Asks the model until it has no more calls, at most so many times and within the turn's share. */
async function converse(turn: Turn, model: Anthropic): Promise<void> {
  const stop = AbortSignal.any([turn.out.gone, AbortSignal.timeout(TURN_MS)]);
  for (let round = 1; ; round += 1) {
    const { content, stopReason } = await listen(turn, model, stop);
    const calls = content.filter((block) => block.type === "tool_use");
    const wantsTools = stopReason === "tool_use" && calls.length > 0;
    if (wantsTools && round < MOST_ROUNDS) {
      turn.keep({ role: "assistant", content });
      const answers = [];
      // One by one: a later call may depend on what an earlier one did.
      for (const call of calls) answers.push(await answerCall(turn, call));
      const fromOutside = answers.some((one) => one.fromOutside);
      turn.keep({ role: "user", content: answers.map(({ result }) => result) }, { fromOutside });
      if (stop.aborted) throw new Error("the reader has gone");
      continue;
    }
    // Calls that are not answered are not kept: their input may be cut, and a call needs its result.
    const words = content.filter((block) => block.type === "text");
    turn.keep({ role: "assistant", content: words });
    if (stopReason === "pause_turn" && round < MOST_ROUNDS && words.length > 0) continue;
    const note = closingNote(stopReason, words.length > 0);
    if (note) turn.say(note);
    return;
  }
}

function closingNote(stopReason: string, hasWords: boolean): string {
  if (stopReason === "tool_use" || stopReason === "pause_turn") {
    return "\n\nSaya berhenti di sini karena langkahnya terlalu banyak. Kirim pesan lagi untuk melanjutkan.";
  }
  if (stopReason === "max_tokens") return " … (jawaban terpotong karena terlalu panjang)";
  return hasWords ? "" : "Maaf, saya tidak dapat menjawab itu.";
}

/** One answer of the model, passed on as it comes. What was said before a break is kept. */
async function listen(turn: Turn, model: Anthropic, stop: AbortSignal) {
  const request = {
    system: { fixed: FIXED_PROMPT, own: ownPrompt(turn.opened, turn.ctx.now()) },
    tools: toolsFor(turn.opened.roles).map(({ definition }) => definition),
    messages: turn.messages,
    maxTokens: MAX_TOKENS,
  };
  const { length } = JSON.stringify(request);
  if (!turn.budget.affords(length)) throw new ShareUsedUp();
  turn.budget.next();
  let heard = "";
  try {
    for await (const event of model.stream(request, stop)) {
      if (event.kind === "text") {
        turn.out.text(event.text);
        heard += event.text;
      } else if (event.kind === "usage") {
        turn.budget.count(event.usage);
      } else {
        return event;
      }
    }
    throw new Error("an answer without an end");
  } catch (error) {
    const words: AssistantBlock[] = heard.trim() ? [{ type: "text", text: heard }] : [];
    turn.keep({ role: "assistant", content: words });
    if (!wasRefused(error)) turn.budget.lose(length);
    throw error;
  }
}

/** An answer that is a status has read and written nothing. */
const wasRefused = (error: unknown) => error instanceof ProviderError && error.status !== undefined;

const NAMED = { fromOutside: true };
const UNREAD = "(Tindakan yang diusulkan tidak dilakukan, karena jawaban ini terputus.)";

/** The turn's share of the day does not reach for another question. */
class ShareUsedUp extends Error {}

/** What the reader is told. Our own mistakes are logged; the provider's words never reach anybody. */
function wordsFor(ctx: Ctx, error: unknown, hasGone: boolean): string {
  if (error instanceof ShareUsedUp) {
    return "Batas pemakaian asisten untuk percakapan ini sudah tercapai. Mulai lagi dengan pesan baru.";
  }
  if (!hasGone) ctx.log.warn("assistant's answer broke off", describeError(error));
  const isOurs = error instanceof ProviderError && ["invalid", "unauthorised"].includes(error.kind);
  if (isOurs) return "Asisten sedang tidak dapat dipakai. Kami sedang memperbaikinya.";
  if (error instanceof ProviderError && error.kind === "rate_limited") {
    return "Asisten sedang ramai. Coba lagi sebentar lagi.";
  }
  return "Jawaban terputus. Silakan kirim pesan Anda sekali lagi.";
}
