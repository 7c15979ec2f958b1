import type { Ctx } from "../../../shared/context.ts";
import type { Gate } from "../../../shared/db/database.ts";
import { AppError } from "../../../shared/http/errors.ts";
import type { Scope } from "../schemas/resellers.ts";
import { type ReadKey, readKey } from "./key-text.ts";

export interface KeyUse {
  scope: Scope;
  /** Where the request came from, as the platform says. */
  address: string;
}

/**
 * Lets the request act for the owner of a key: `topup_require_key` runs at the head of the request's first
 * transaction, so that nothing is read or written unless the key holds right then. Returns what the key claims.
 */
export async function actWithKey(ctx: Ctx, text: string, use: KeyUse): Promise<ReadKey> {
  const key = await readKey(text);
  if (!key) throw new AppError("bad_token", "Invalid API key");
  // A key buys and reads as its owner and holds none of his roles.
  ctx.actor = { userId: key.userId, sessionId: key.id, roles: [] };
  ctx.db.guard(keyGate(key, use));
  return key;
}

/** Asked again (`guardAgain`, before money moves) it checks as before, but the request counts once. */
function keyGate(key: ReadKey, use: KeyUse): Gate {
  const { id, userId: user_id, hash } = key;
  const check = (count: boolean) => ({
    sql: "select topup_require_key($1::jsonb)",
    params: [JSON.stringify({ id, user_id, hash, ...use, count })],
    arrayMode: true,
    map: () => undefined,
  });
  const gate: Gate = {
    statement: check(true),
    passed: () => {
      gate.statement = check(false);
    },
  };
  return gate;
}
