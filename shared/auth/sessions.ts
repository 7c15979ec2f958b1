import type { Actor, Role } from "../context.ts";
import type { Gate } from "../db/database.ts";

const TRUST_MS = 30_000;
const MAX_KEPT = 5_000;

/** Sessions that this isolate has seen alive, and until when it need not ask again (design §2: 30 s). */
const trusted = new Map<string, number>();

export interface AccessRule {
  /** The role that the path needs; null: any signed-in user. */
  role: Role | null;
  /** True for writes of money: the session is checked in the same transaction, never from memory. */
  fresh: boolean;
}

/**
 * The check that rides in the request's first transaction, or null while the session is trusted.
 * `identity_require_session` raises when the session has ended, the user is banned, or lost the role.
 */
export function sessionGate(actor: Actor, rule: AccessRule, now: Date): Gate | null {
  const powerful = rule.role === "admin" || rule.role === "operator";
  const key = `${actor.sessionId}/${rule.role ?? ""}`;
  if (!rule.fresh && !powerful && (trusted.get(key) ?? 0) > now.getTime()) return null;
  return {
    statement: {
      sql: "select identity_require_session($1::uuid, $2::bigint, $3::text)",
      params: [actor.sessionId, actor.userId, rule.role],
      arrayMode: true,
      map: () => undefined,
    },
    passed: () => trust(key, now.getTime() + TRUST_MS),
  };
}

function trust(key: string, until: number): void {
  if (trusted.size >= MAX_KEPT) trusted.clear();
  trusted.set(key, until);
}

/** Forgets a session that ended here; other isolates follow within 30 s. */
export function distrust(sessionId: string): void {
  for (const key of trusted.keys()) if (key.startsWith(sessionId)) trusted.delete(key);
}
