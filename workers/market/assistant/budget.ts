import type { Config } from "../../../shared/config/config.ts";
import type { ModelUsage } from "../../../shared/providers/anthropic.ts";

/** Of one turn: what the spec gives an answer, and how often the model may be asked. */
export const MAX_TOKENS = 1_024;
export const MOST_ROUNDS = 8;
const TURN_TOKENS = 60_000;
/** Below this not even one question fits. */
const LEAST_TOKENS = 16_000;
/** Of Anthropic's price list: writing to the cache and reading from it, in parts of the price of what is read. */
const CACHE_WRITE = 1.25;
const CACHE_READ = 0.1;
/** Rather too many tokens than too few: Indonesian has more than three letters for each. */
const CHARACTERS_PER_TOKEN = 3;

type Prices = Pick<Config, "ASSISTANT_USD_IN" | "ASSISTANT_USD_OUT">;

/** What a turn asks for at its beginning. A dollar for a million tokens is a micro-dollar for one. */
export function turnClaim(config: Config) {
  const out = MAX_TOKENS * MOST_ROUNDS;
  const cost =
    (TURN_TOKENS - out) * CACHE_WRITE * config.ASSISTANT_USD_IN + out * config.ASSISTANT_USD_OUT;
  return {
    claim_tokens: TURN_TOKENS,
    claim_cost: Math.ceil(cost),
    least_tokens: LEAST_TOKENS,
    daily_tokens: config.ASSISTANT_DAILY_TOKENS,
    daily_cost: config.ASSISTANT_DAILY_MICRO_USD,
  };
}

/** What it takes to read a question, before anybody has told. */
const readingOf = (characters: number): ModelUsage => ({
  input: 0,
  cacheWrite: Math.ceil(characters / CHARACTERS_PER_TOKEN),
  cacheRead: 0,
  output: 0,
});

/** What a turn has used of its share. */
export class Budget {
  tokens = 0;
  cost = 0;
  readonly #share: { tokens: number; cost: number };
  readonly #prices: Prices;
  /** Of the question that is being answered. */
  #current: ModelUsage | null = null;

  constructor(share: { tokens: number; cost: number }, prices: Prices) {
    this.#share = share;
    this.#prices = prices;
  }

  /** Whether a question of so many characters still fits, with the longest answer. */
  affords(characters: number): boolean {
    const most = { ...readingOf(characters), output: MAX_TOKENS };
    return (
      this.tokens + most.cacheWrite + MAX_TOKENS <= this.#share.tokens &&
      this.cost + this.#priceOf(most) <= this.#share.cost
    );
  }

  /** The counts of one answer grow while it is written; the next question begins with `next`. */
  count(usage: ModelUsage): void {
    this.#add(this.#current, -1);
    this.#current = usage;
    this.#add(usage, 1);
  }

  next(): void {
    this.#current = null;
  }

  /**
   * Nobody heard the end of an answer to a question of so many characters: it counts as the longest that it may have
   * been, so that nobody saves anything by leaving early.
   */
  lose(characters: number): void {
    const known = this.#current ?? readingOf(characters);
    this.count({ ...known, output: MAX_TOKENS });
  }

  #add(usage: ModelUsage | null, sign: 1 | -1): void {
    if (!usage) return;
    const { input, cacheWrite, cacheRead, output } = usage;
    this.tokens += sign * (input + cacheWrite + cacheRead + output);
    this.cost += sign * this.#priceOf(usage);
  }

  #priceOf({ input, cacheWrite, cacheRead, output }: ModelUsage): number {
    const { ASSISTANT_USD_IN: dear, ASSISTANT_USD_OUT: out } = this.#prices;
    return Math.ceil(
      (input + cacheWrite * CACHE_WRITE + cacheRead * CACHE_READ) * dear + output * out,
    );
  }
}
