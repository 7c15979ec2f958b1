const SHARD_NAME = /^[A-Za-z0-9_-]{1,64}$/;
const SESSION_ID = /^([A-Za-z0-9_-]{1,64})\.[A-Za-z0-9_-]{22}$/;

/** A new Engine.IO session id, `<shard>.<128 random bits>`: a request that carries it finds its shard. */
export function newSessionId(shard: string): string {
  if (!SHARD_NAME.test(shard)) throw new Error(`not a shard name: ${shard}`);
  return `${shard}.${randomId()}`;
}

/**
 * The shard of a session id, or null when it cannot be one of ours. The name is the client's word: the router must know
 * that such a shard exists before it wakes one.
 */
export function shardOf(sessionId: string | null): string | null {
  return SESSION_ID.exec(sessionId ?? "")?.[1] ?? null;
}

/** 128 random bits in 22 characters. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .slice(0, 22);
}
