import { type PreparedEvent, prepareEvent } from "../socketio/index.ts";
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

/** A longer event is heavy: shown without the drawing to who cannot take it now, and to who comes back. */
const HEAVY_CHARS = 10_000;

/**
 * A committed gift in the app's own shape: `from`, `hostIncome` and all that is said of the gift are ours; of its sender is
 * how it is drawn, and nothing else.
 */
export function giftEvent(roomId: string, news: GiftNews): PreparedEvent {
  const { from, to, count, drawing } = news;
  const gift = { ...news.gift, count, jpWin: false };
  const event = prepareEvent("live:gift-received", [{ roomId, from, to, count, gift }]);
  if (drawing === undefined) return event;
  // The gift ends the payload, and with it the body.
  const body = `${event.body.slice(0, -"}}]".length)},${drawing}}}]`;
  return { ...event, body, ...(body.length > HEAVY_CHARS ? { light: event.body } : {}) };
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
