import type { Ctx } from "../../shared/context.ts";
import { toHex } from "../../shared/crypto/index.ts";

/** What the panel gives ids to; a user's is made of the platform's own number (`userIdText`). */
export type IdPrefix = "site" | "job" | "srv" | "bkp";

/** `<prefix>_<unix nanoseconds>_<12 hex>`: sorts by time, and cannot be guessed. */
export function newId(ctx: Pick<Ctx, "now">, prefix: IdPrefix): string {
  const [micros = 0] = crypto.getRandomValues(new Uint32Array(1));
  const nanos = BigInt(ctx.now().getTime()) * 1_000_000n + BigInt(micros % 1_000_000);
  return `${prefix}_${nanos}_${toHex(crypto.getRandomValues(new Uint8Array(6)))}`;
}
