import { z } from "zod";
import { MAX_ROOM_ID, type RoomKind, roomName } from "../rooms/names.ts";
import { cleanLines, cleanText, idOf } from "./text.ts";

export const MAX_MESSAGE = 500;
const MAX_PRIVATE = 2_000;
const MAX_NAME = 40;
const MAX_SEAT = 50;

/** What a client says of itself; only ever the name of a guest. */
export interface Claim {
  /** Empty when it says nothing. */
  name: string;
  /** Makes two tabs of a guest one viewer; shown to nobody. */
  id: string | null;
}

/** What an event asks for, once it has been read. */
export type Action =
  | { kind: "claim"; claim: Claim }
  | { kind: "join"; room: string; seat: number | null; claim: Claim }
  | { kind: "leave"; room: string }
  | { kind: "message"; room: string; text: string; claim: Claim }
  | { kind: "gift"; room: string; gift: AskedGift }
  | { kind: "drawing"; room: string; giftId: string; drawn: Drawn }
  | { kind: "private"; toUserId: number; text: string }
  | { kind: "refuse"; code: string; message: string }
  | { kind: "ignore" };

/** A gift as its app said it, to be read for how it is drawn (`drawingOf`). */
export type Drawn = Record<string, unknown>;

export interface AskedGift {
  receiverId: number;
  giftId: string;
  count: number;
  coinValue: number | null;
  /** A key of the client's own, for an app that repeats a gift after a lost connection; any that REST takes too. */
  key: string | null;
  drawn: Drawn;
}

export interface Rules {
  isVerified: boolean;
  guestChat: boolean;
}

const Payload = z.looseObject({}).catch({});
const GiftPart = z.looseObject({ id: z.string().regex(/^[\w-]{1,64}$/) });
const Count = z.int().min(1).max(999);
/** What the client names is read or refused: a price or key that was passed over would let it pay what it did not mean to. */
const Price = z.int().min(1).nullish();
const ClientKey = z
  .string()
  .regex(/^\P{Cc}{1,255}$/u)
  .refine((key) => key.isWellFormed())
  .nullish();

const IGNORE: Action = { kind: "ignore" };
const refuse = (code: string, message: string): Action => ({ kind: "refuse", code, message });
/** What a guest hears of what needs a token. */
export const NOT_SIGNED_IN = {
  code: "unauthenticated",
  message: "Silakan masuk terlebih dahulu",
};
const SIGN_IN: Action = { kind: "refuse", ...NOT_SIGNED_IN };
const INCOMPLETE = refuse("invalid_input", "Data gift tidak lengkap");

/**
 * What a client's event asks for (contract §3.3), decided by its name, its payload and whether the socket's token was
 * verified, and by nothing that the payload claims of its sender. Events that only a server may send, and unknown ones,
 * are ignored.
 */
export function decide(event: string, payload: unknown, rules: Rules): Action {
  const fields = Payload.parse(payload);
  switch (event) {
    case "user:join":
      return { kind: "claim", claim: claimOf(fields) };
    case "live:join":
    case "live:leave":
    case "live:message":
      return inRoom("live", event.slice("live:".length), fields, rules);
    case "live:gift":
      return rules.isVerified ? gift(fields) : drawing(fields);
    case "party:join":
    case "party:leave":
    case "party:message":
      return rules.isVerified
        ? inRoom("party", event.slice("party:".length), fields, rules)
        : SIGN_IN;
    case "chat:send":
      return rules.isVerified ? privateMessage(fields) : SIGN_IN;
    default:
      return IGNORE;
  }
}

type Fields = Record<string, unknown>;

function inRoom(kind: RoomKind, what: string, fields: Fields, rules: Rules): Action {
  const room = roomOf(kind, fields);
  if (!room) return refuse("invalid_input", "Ruangan tidak valid");
  if (what === "leave") return { kind: "leave", room };
  if (what === "message") return message(room, fields, rules);
  const seat = kind === "party" ? seatOf(fields.seat) : null;
  return { kind: "join", room, seat, claim: claimOf(fields) };
}

function message(room: string, fields: Fields, rules: Rules): Action {
  if (!rules.isVerified && !rules.guestChat) {
    return refuse("unauthenticated", "Silakan masuk untuk ikut mengobrol");
  }
  const text = cleanText(fields.message, MAX_MESSAGE);
  if (!text) return refuse("invalid_input", "Pesan kosong");
  return { kind: "message", room, text, claim: claimOf(fields) };
}

function gift(fields: Fields): Action {
  const room = roomOf("live", fields);
  const receiverId = idOf(Payload.parse(fields.to).userId);
  const part = GiftPart.safeParse(fields.gift);
  const count = Count.safeParse(fields.count ?? part.data?.count ?? 1);
  const price = Price.safeParse(part.data?.price);
  const key = ClientKey.safeParse(fields.key);
  if (!room || receiverId === null || !part.success || !count.success) return INCOMPLETE;
  if (!price.success || !key.success) return INCOMPLETE;
  return {
    kind: "gift",
    room,
    gift: {
      receiverId,
      giftId: part.data.id,
      count: count.data,
      coinValue: price.data ?? null,
      key: key.data ?? null,
      drawn: part.data,
    },
  };
}

/** Of a guest nothing is taken but how a gift is drawn, which his app has given over REST. */
function drawing(fields: Fields): Action {
  const room = roomOf("live", fields);
  const part = GiftPart.safeParse(fields.gift);
  if (!room || !part.success || !(part.data.lottie || part.data.src)) return SIGN_IN;
  return { kind: "drawing", room, giftId: part.data.id, drawn: part.data };
}

function privateMessage(fields: Fields): Action {
  const toUserId = idOf(fields.toUserId);
  const text = cleanLines(fields.message, MAX_PRIVATE + 1);
  if (toUserId === null || !text) return refuse("invalid_input", "Pesan tidak lengkap");
  if ([...text].length > MAX_PRIVATE) return refuse("invalid_input", "Pesan terlalu panjang");
  return { kind: "private", toUserId, text };
}

function roomOf(kind: RoomKind, { roomId }: Fields): string | null {
  const id = typeof roomId === "number" ? String(roomId) : roomId;
  const isName =
    typeof id === "string" && id.length <= MAX_ROOM_ID && cleanText(id, MAX_ROOM_ID) === id;
  return isName && id !== "" ? roomName(kind, id) : null;
}

function claimOf({ username, userId }: Fields): Claim {
  const id = typeof userId === "number" ? String(userId) : cleanText(userId, MAX_NAME);
  return { name: cleanText(username, MAX_NAME), id: id || null };
}

function seatOf(value: unknown): number | null {
  const seat = z.int().min(0).max(MAX_SEAT).safeParse(value);
  return seat.success ? seat.data : null;
}
