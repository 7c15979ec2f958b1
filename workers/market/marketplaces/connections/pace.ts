import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { call } from "../../../../shared/db/statement.ts";
import type { CallKind } from "../../../../shared/providers/marketplace.ts";

const Turns = z.object({
  blocked: z.boolean(),
  wait_ms: z.number(),
  step_ms: z.number(),
  turns: z.number(),
});

/**
 * Turns are fetched for at most this long, so that the database is asked about once a second. One who has only a
 * question or two is not given a second that others wait for: each fetch is for twice as many as the one before.
 */
const GRANT_MS = 1_000;
const LARGEST_GRANT = 50;
/** A turn that is not taken for so long lapses: kept ones would all leave at once, besides those of other isolates. */
const KEPT_MS = 250;
/** A longer wait is a job's, not an isolate's. */
const LONGEST_WAIT_MS = 5_000;

/** The shop wants us to stay away for a while. */
export class ShopPausedError extends Error {
  readonly afterMs: number;

  constructor(afterMs: number) {
    super("the shop has asked for a pause");
    this.name = "ShopPausedError";
    this.afterMs = afterMs;
  }
}

/**
 * Lets calls to one shop leave at its pace, whichever isolates they leave from: Postgres hands out the turns, some at
 * a time, and they are waited for here. Calls overlap as much as their pace allows.
 */
export class Pace {
  readonly #ctx: Ctx;
  readonly #connectionId: string;
  readonly #stepMs: Record<CallKind, number>;
  readonly #granted: Record<CallKind, Grant> = { read: noTurns(), write: noTurns() };

  constructor(
    ctx: Ctx,
    connectionId: string,
    limits: { readsPerSecond: number; writesPerSecond: number },
  ) {
    this.#ctx = ctx;
    this.#connectionId = connectionId;
    this.#stepMs = { read: 1_000 / limits.readsPerSecond, write: 1_000 / limits.writesPerSecond };
  }

  /** Returns when a call may leave. Throws `ShopPausedError` where that is further off than one waits. */
  async turn(kind: CallKind): Promise<void> {
    const grant = this.#granted[kind];
    const now = () => this.#ctx.now().getTime();
    lapse(grant, now());
    while (grant.left < 1) {
      grant.fetching ??= this.#fetch(kind, grant).finally(() => {
        grant.fetching = null;
      });
      await grant.fetching;
      lapse(grant, now());
    }
    grant.left -= 1;
    const leavesAt = grant.nextAt;
    grant.nextAt += grant.stepMs;
    const waitMs = leavesAt - now();
    if (waitMs > 0.5) await pause(waitMs);
  }

  async #fetch(kind: CallKind, grant: Grant): Promise<void> {
    const stepMs = this.#stepMs[kind];
    const most = Math.min(LARGEST_GRANT, Math.max(1, Math.floor(GRANT_MS / stepMs)));
    const wanted = Math.min(most, grant.wanted);
    const input = {
      connection_id: this.#connectionId,
      kind,
      wanted,
      step_ms: stepMs,
      longest_wait_ms: LONGEST_WAIT_MS,
    };
    const asked = await this.#ctx.db.run(call("market_marketplace_turns", input, Turns));
    if (asked.wait_ms > LONGEST_WAIT_MS) throw new ShopPausedError(asked.wait_ms);
    if (asked.blocked) {
      await pause(asked.wait_ms);
      return;
    }
    grant.left = asked.turns;
    grant.wanted = wanted * 2;
    grant.nextAt = this.#ctx.now().getTime() + asked.wait_ms;
    grant.stepMs = asked.step_ms;
  }

  /** The shop has complained: what was handed out here is void, and everybody else waits too. */
  async slowDown(waitMs: number): Promise<void> {
    this.#granted.read.left = 0;
    this.#granted.write.left = 0;
    const input = { connection_id: this.#connectionId, wait_ms: waitMs };
    await this.#ctx.db.run(call("market_marketplace_slow_down", input, z.boolean()));
  }
}

interface Grant {
  left: number;
  wanted: number;
  nextAt: number;
  stepMs: number;
  fetching: Promise<void> | null;
}

/** Drops the turns that nobody took in time. */
function lapse(grant: Grant, nowMs: number): void {
  const lateMs = nowMs - KEPT_MS - grant.nextAt;
  if (grant.left < 1 || lateMs <= 0) return;
  const lapsed = Math.min(grant.left, Math.ceil(lateMs / grant.stepMs));
  grant.left -= lapsed;
  grant.wanted = 1;
  grant.nextAt += lapsed * grant.stepMs;
}

const noTurns = (): Grant => ({ left: 0, wanted: 1, nextAt: 0, stepMs: 0, fetching: null });
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
