import type { Ctx } from "../../../shared/context.ts";

/** The number of shards is part of the addresses of users: changing it moves people at their next connection. */
export function shardName(index: number): string {
  return `s${index}`;
}

/** The shard of a name that a client gave; null where there is none. */
export function knownShard(name: string | null, shards: number): string | null {
  const index = Number(/^s(\d{1,4})$/.exec(name ?? "")?.[1] ?? Number.NaN);
  return index < shards ? shardName(index) : null;
}

/** FNV-1a: small, even and the same everywhere. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return value;
}

/** The shard that knows where a person's sockets are: `u:<user id>` or a guest's key. */
export function homeOf(person: string, shards: number): string {
  return shardName(hash(person) % shards);
}

/** The key of a verified user among persons. */
export const userKey = (userId: number): string => `u:${userId}`;

/**
 * Tells client addresses apart, and says nothing else of them; of an IPv6 address the network, as a household has one.
 * Null where nobody is told apart by it: unknown, or this machine's own.
 */
export function addressKey(address: string): string | null {
  const isUsable = /^[\d.]{7,15}$|^[\da-f:]+$/i.test(address) && !/^127\.|^::1$/.test(address);
  if (!isUsable) return null;
  const network = address.includes(":")
    ? address.toLowerCase().split(":").slice(0, 4).join(":")
    : address;
  return hash(network).toString(36);
}

/** The object that knows a user's sockets. */
export function homeShard(ctx: Ctx, userId: number) {
  return ctx.sockets.getByName(homeOf(userKey(userId), ctx.config.LIVE_SHARDS));
}
