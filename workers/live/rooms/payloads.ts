import type { RoomKind } from "./names.ts";
import type { GiftNews, LiveNews } from "./news.ts";
import type { PersonCard } from "./ops.ts";

/** A person in an event's payload (contract §3.4): a guest shows the name he claims, no id, and that nobody vouches. */
export function personPayload(
  kind: RoomKind,
  roomId: string,
  person: PersonCard & { seat: number | null },
) {
  const who = {
    roomId,
    userId: person.userId,
    username: person.name,
    avatar: person.avatar,
    level: person.level,
    vip: person.vip,
    verified: person.userId !== null,
  };
  return kind === "party" ? { ...who, seat: person.seat } : who;
}

/** A committed gift in the app's own shape: `from`, `hostIncome` and all numbers are ours, and no animation is echoed. */
export function giftPayload(roomId: string, { from, to, gift, count }: GiftNews) {
  return {
    roomId,
    from,
    to,
    gift: { ...gift, count, jpWin: false },
    count,
  };
}

/** A live that began or ended: whose it is, and when it was told. */
export function livePayload({ roomId, sessionId, hostId, hostName }: LiveNews, at: number) {
  const host = { hostId, userId: hostId, username: hostName };
  return { roomId, sessionId, ...host, timestamp: new Date(at).toISOString() };
}

/** A word that tells guests apart in a list and says nothing of what they claim. */
export function guestId(key: string): string {
  let value = 5381;
  for (let i = 0; i < key.length; i += 1) value = (Math.imul(value, 33) ^ key.charCodeAt(i)) >>> 0;
  return `guest-${value.toString(36)}`;
}
