import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { notFound } from "../../../shared/http/errors.ts";
import type { AssistantBlock, ModelMessage } from "../../../shared/providers/anthropic.ts";
import { isUuid } from "../schemas/fields.ts";
import { Budget, turnClaim } from "./budget.ts";
import { isPlainName } from "./data.ts";
import type { Decision } from "./decisions.ts";
import { Said, trimmed } from "./history.ts";
import { type OwnWords, ownWordsOf } from "./own-words.ts";
import type { ChatInput } from "./schemas.ts";
import type { EventStream } from "./sse.ts";

/** A turn holds its session so long, and gives up before that. */
const HOLD_SECONDS = 150;
export const TURN_MS = 120_000;
const STORED_MESSAGES = 80;

export const Waiting = z.object({
  id: z.uuid(),
  code: z.string(),
  tool: z.string(),
  input: z.record(z.string(), z.unknown()),
  summary: z.string(),
});
/** What the assistant would do once its user says yes. */
export type Waiting = z.output<typeof Waiting>;

const Opened = z.object({
  session_id: z.uuid(),
  name: z.string(),
  roles: z.array(z.enum(["buyer", "seller", "admin", "operator"])),
  store: z.object({ name: z.string(), slug: z.string() }).nullable(),
  history: z.array(Said),
  waiting: z.array(Waiting),
  claim: z.object({ day: z.string(), tokens: z.number(), cost: z.number() }).nullable(),
});
type Opened = z.output<typeof Opened>;

/**
 * One message of a user and everything that comes of it, from the moment when it holds its session until what was said
 * is stored. No query stands between a word of the model and its reader.
 */
export class Turn {
  readonly ctx: Ctx;
  readonly id: string;
  readonly opened: Opened;
  readonly budget: Budget;
  readonly out: EventStream;
  readonly history: Said[];
  readonly said: Said[] = [];
  /** The change that the user's own message says, where it says nothing else. */
  readonly ownWords: OwnWords | null;
  /** What was proposed in this turn. */
  readonly proposals: Waiting[] = [];
  calls = 0;
  #fromOutside: boolean;

  constructor(ctx: Ctx, turn: { id: string; opened: Opened; out: EventStream; message: string }) {
    this.ctx = ctx;
    this.id = turn.id;
    this.opened = turn.opened;
    this.out = turn.out;
    this.ownWords = ownWordsOf(turn.message);
    this.budget = new Budget(turn.opened.claim ?? { tokens: 0, cost: 0 }, ctx.config);
    this.history = trimmed(turn.opened.history);
    const { name, store } = turn.opened;
    this.#fromOutside =
      this.history.some((one) => one.fromOutside) ||
      ![name, store?.name ?? ""].every((one) => isPlainName(one));
  }

  /**
   * Whether the model has read what others wrote, or its own words from after that, which may repeat it: from then on it
   * changes nothing without its user's yes.
   */
  get fromOutside(): boolean {
    return this.#fromOutside;
  }

  get messages(): ModelMessage[] {
    return [...this.history, ...this.said].map(({ message }) => message);
  }

  /** Takes a message into the talk. */
  keep(message: ModelMessage, { fromOutside = false } = {}): void {
    this.#fromOutside ||= fromOutside;
    if (message.content.length > 0) this.said.push({ message, fromOutside });
  }

  /** The server itself says something, to the reader and in the talk; names of products may stand in it. */
  say(text: string, { fromOutside = false } = {}): void {
    this.out.text(text);
    const last = this.said.at(-1);
    const block: AssistantBlock = { type: "text", text };
    if (last?.message.role === "assistant") {
      last.message.content.push(block);
    } else {
      this.said.push({ message: { role: "assistant", content: [block] }, fromOutside });
    }
    this.#fromOutside ||= fromOutside;
  }
}

/** Takes the session and the turn's share of the day. Errors: `not_found`, `in_progress`, `rate_limited`, `forbidden`. */
export async function beginTurn(
  ctx: Ctx,
  { message, sessionId, latest }: ChatInput,
  decision: Decision,
): Promise<{ id: string; opened: Opened }> {
  if (sessionId !== null && !isUuid(sessionId)) throw notFound("Sesi tidak ditemukan");
  const id = uuidv7(ctx.now());
  const opened = await ctx.db.run(
    call(
      "market_assistant_begin",
      {
        user_id: actorOf(ctx).userId,
        session_id: sessionId,
        new_session_id: uuidv7(ctx.now()),
        latest,
        turn_id: id,
        title: [...message.replace(/\s+/g, " ")].slice(0, 60).join(""),
        decision: decision.kind,
        seconds: HOLD_SECONDS,
        history: STORED_MESSAGES,
        ...turnClaim(ctx.config),
      },
      Opened,
    ),
  );
  return { id, opened };
}

/**
 * Stores what was said, lets the session go, and replaces the claim by what was used. What its reader did not stay to
 * read cannot be confirmed: his next “lanjut” would be a yes to what he never saw. All of a turn that has seen words
 * from outside counts as from outside: an answer may quote them, and must not outlive their mark when the talk is
 * trimmed. The mark so follows from turn to turn until nothing of it is told to the model any more.
 */
export async function endTurn(turn: Turn): Promise<void> {
  const { ctx, opened, budget, fromOutside } = turn;
  const messages = turn.said.map(({ message }) => ({ ...message, from_outside: fromOutside }));
  await ctx.db.run(
    call(
      "market_assistant_end",
      {
        user_id: actorOf(ctx).userId,
        session_id: opened.session_id,
        turn_id: turn.id,
        messages: storable(messages),
        unread: turn.out.gone.aborted,
        claim: opened.claim,
        tokens: budget.tokens,
        cost: budget.cost,
      },
      z.boolean(),
    ),
  );
}

/** Whole characters without NUL: a stream that breaks may leave half of one, and Postgres keeps neither. */
function storable<T>(value: T): T {
  const clean = (_: string, part: unknown) =>
    typeof part === "string" ? part.toWellFormed().replaceAll("\0", "") : part;
  return JSON.parse(JSON.stringify(value, clean)) as T;
}
