import { randomBytes } from "node:crypto";
import { type Clock, Timers } from "../common/clock.ts";
import { Dials } from "../common/dials.ts";
import { isObject, type Json } from "../common/fields.ts";
import { OwnDials } from "../common/own-dials.ts";

export interface AnthropicTwinOptions {
  apiKey: string;
  clock?: Clock;
}

/** One block of an answer: words, or the call of a tool. */
export type Block = { text: string } | { tool: string; input: Json };

/** One answer of the model, as a script has it. */
export interface Turn {
  blocks: Block[];
  stopReason?: string;
  /** Answered in place of a message. */
  error?: { status: number; type: string; retryAfter?: number };
  /** After so many events: the connection breaks, an error event comes, or nothing more comes. */
  breakAfter?: number;
  errorAfter?: number;
  silentAfter?: number;
  firstMs?: number;
  deltaMs?: number;
  /** The model does what a text that it reads tells it to do (`obey.ts`). */
  obey?: boolean;
}

interface Script {
  match: string;
  turns: Turn[];
  /** The last turn is given for every further call. */
  loop: boolean;
}

/** What was asked, and what came of it. */
export interface Asked {
  id: string;
  at: number;
  body: Json;
  headers: Record<string, string>;
  answer: unknown;
  /** When the first piece of text was handed to the socket, in fractions of a millisecond since 1970. */
  firstTextAt: number | null;
  /** Whether the caller had gone before the last event. */
  left: boolean;
}

const dialMeanings = {
  rate: "429 rate_limit_error; the value is its retry-after in seconds (1)",
  spend: "429 of the spend limit, without retry-after",
  overloaded: "529 overloaded_error",
  errorEvent: "an error event of this type (overloaded_error) after the first words",
  breakOff: "the connection breaks after so many events (4)",
  silent: "nothing more comes after so many events (4)",
  firstMs: "the wait before the first event (0)",
  deltaMs: "the wait between two pieces of text (0)",
} as const;

const kept = 500;

/** What the model says, from scripts; what it was asked; what it remembers of cached prompts. */
export class Model {
  readonly dials = new Dials();
  readonly own = new OwnDials(this.dials, dialMeanings);
  readonly timers = new Timers();
  readonly asked: Asked[] = [];
  readonly options: AnthropicTwinOptions;
  private scripts: Script[] = [];
  /** Prefixes that were written to the cache, until when. */
  private readonly cached = new Map<string, number>();

  constructor(options: AnthropicTwinOptions) {
    this.options = options;
  }

  readonly clock: Clock = () => (this.options.clock ?? Date.now)();

  /** Puts a script in front of those that are there; one of the same `match` is replaced. */
  script(match: string, turns: Turn[], loop: boolean): void {
    this.scripts = this.scripts.filter((one) => one.match !== match);
    this.scripts.unshift({ match, turns: [...turns], loop });
    this.scripts.length = Math.min(this.scripts.length, 2_000);
  }

  list(): { match: string; left: number }[] {
    return this.scripts.map(({ match, turns }) => ({ match, left: turns.length }));
  }

  /** The next turn of the first script whose `match` the request holds. */
  next(raw: string): Turn {
    const script = this.scripts.find(({ match, turns }) => turns.length > 0 && raw.includes(match));
    if (!script) return { blocks: [{ text: "Halo! Ada yang bisa saya bantu di toko Anda?" }] };
    const [turn] =
      script.loop && script.turns.length === 1 ? script.turns : script.turns.splice(0, 1);
    return turn ?? { blocks: [] };
  }

  note(body: Json, headers: Record<string, string>): Asked {
    const asked: Asked = {
      id: `msg_${randomBytes(12).toString("hex")}`,
      at: this.clock(),
      body,
      headers,
      answer: null,
      firstTextAt: null,
      left: false,
    };
    this.asked.push(asked);
    if (this.asked.length > kept) this.asked.shift();
    return asked;
  }

  /** What of the marked prefixes is read from the cache and what is written to it, in tokens. */
  cache(marks: { prefix: string; tokens: number; hour: boolean }[]): {
    read: number;
    write: number;
  } {
    const now = this.clock();
    let read = 0;
    let longest = 0;
    for (const { prefix, tokens } of marks) {
      if (tokens < 1024) continue;
      longest = Math.max(longest, tokens);
      if ((this.cached.get(prefix) ?? 0) > now) read = Math.max(read, tokens);
    }
    for (const { prefix, tokens, hour } of marks) {
      if (tokens >= 1024) this.cached.set(prefix, now + (hour ? 3_600_000 : 300_000));
    }
    return { read, write: longest - read };
  }
}

/** About four characters are a token. */
export const tokensOf = (text: string) => Math.ceil(text.length / 4);

const number = (value: unknown) => (typeof value === "number" ? value : undefined);

/** A turn as it is given by hand; throws an error with words where it makes no sense. */
export function readTurn(given: unknown): Turn {
  if (!isObject(given)) throw new Error("a turn must be an object");
  const blocks = Array.isArray(given.blocks) ? given.blocks : [];
  const turn: Turn = { blocks: blocks.map(readBlock) };
  if (typeof given.stop_reason === "string") turn.stopReason = given.stop_reason;
  if (given.obey === true) turn.obey = true;
  if (isObject(given.error)) {
    const { status, type, retry_after: retryAfter } = given.error;
    turn.error = { status: number(status) ?? 500, type: String(type ?? "api_error") };
    if (typeof retryAfter === "number") turn.error.retryAfter = retryAfter;
  }
  const waits = {
    breakAfter: number(given.break_after),
    errorAfter: number(given.error_after),
    silentAfter: number(given.silent_after),
    firstMs: number(given.first_ms),
    deltaMs: number(given.delta_ms),
  };
  for (const [name, value] of Object.entries(waits)) {
    if (value !== undefined) Object.assign(turn, { [name]: value });
  }
  return turn;
}

function readBlock(given: unknown): Block {
  if (!isObject(given)) throw new Error("a block must be an object");
  if (typeof given.text === "string") return { text: given.text };
  if (typeof given.tool !== "string") throw new Error("a block has text, or tool and input");
  return { tool: given.tool, input: isObject(given.input) ? given.input : {} };
}
