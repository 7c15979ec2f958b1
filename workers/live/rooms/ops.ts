import type { PreparedEvent } from "../socketio/index.ts";

/** A person as a room knows him. Everything but a guest's name is our own: claims end at the shard. */
export interface PersonCard {
  /** `u:<user id>` for a verified user, `g:…` for a guest: what makes two sockets one viewer. */
  key: string;
  /** Null for a guest, whatever he claims. */
  userId: number | null;
  name: string;
  avatar: string | null;
  level: number;
  vip: number;
  /** Where a guest's socket comes from, in a form that tells addresses apart; null for a user, and where it is unknown. */
  address: string | null;
  /** What is known of a guest's connection, whatever he claims; null for a user. */
  line: GuestLine | null;
}

/** A guest's connection. Rooms show nothing of it: the pid is its client's secret. */
export interface GuestLine {
  pid: string;
  /** The pid that its client named, where it did not go on as that connection. */
  formerPid: string | null;
  /** When it began. */
  at: number;
  /** The number that it claimed last; null where it never claimed one. */
  number: string | null;
  /** As whom it counts among those who came: what it claimed first. New names make nobody new of it. */
  visitor: string | null;
}

/** A gift that a verified socket asks to give: ids and a count, nothing that a client could price. */
export interface GiftWish {
  /** Made once by the shard (or by the client, under its user): a repeat gives nothing twice. */
  key: string;
  senderId: number;
  /** The sign-in that the socket speaks for; money asks for it anew. */
  authSessionId: string;
  receiverId: number;
  giftId: string;
  count: number;
  /** The price that the client showed, which must be the catalogue's; null when it named none. */
  coinValue: number | null;
}

/** What a shard asks of a room, for one of its sockets. */
export type RoomOp =
  | {
      kind: "join";
      socket: string;
      person: PersonCard;
      seat: number | null;
      quiet: boolean;
      /** Of a socket that was lost: the last that its shard has heard, here or where it was; null when that is not known. */
      since?: number | null;
    }
  /** `isGoodbye`: its client wished to go; without it the socket was lost. */
  | { kind: "leave"; socket: string; isGoodbye?: boolean }
  | { kind: "message"; socket: string; person: PersonCard; text: string }
  /** `ask` is made by the shard for this one question; the answer names it. */
  | {
      kind: "gift";
      socket: string;
      ask: string;
      person: PersonCard;
      wish: GiftWish;
      /** How the sender's app draws it (`drawingOf`). */
      drawing?: string;
    }
  /** How a gift is drawn that a guest says he gave over REST; without `drawing` he asks whether that is awaited. */
  | { kind: "drawing"; socket: string; giftId: string; drawing?: string }
  /** All sockets that the shard holds here: the room forgets those that it lost, and answers those it does not know. */
  | { kind: "roll"; sockets: string[] };

export type RoomReply =
  | { ok: true; count: number; isNew: boolean; mark?: number; unknown?: string[] }
  | { ok: false; code: string; message: string };

/** One event for the sockets of a room, encoded once for all of them. */
export interface Frame {
  event: PreparedEvent;
  /** The socket that does not get it: the app shows its own message itself. */
  except: string | null;
  /** True for news that the next one replaces: not kept for who is away. */
  isVolatile: boolean;
  /** The number of what was said before it, news that the next replaces aside. */
  after: number;
  /** Greater than `after`; the same for news that the next replaces. */
  mark: number;
}

/** What became of a gift, for a socket of its sender that asked, and that question alone. */
export interface GiftAnswer {
  socket: string;
  ask: string;
  answer: GiftOutcome;
}

export type GiftOutcome =
  | {
      success: true;
      key: string;
      giftRowId: number;
      hostIncome: number;
      totalCost: number;
      balance: number;
    }
  | {
      success: false;
      key: string;
      code: string;
      message: string;
      needed?: number;
      current?: number;
    };

/** What a room brings to a shard in one call. */
export type Delivery =
  | { kind: "frame"; frame: Frame }
  | { kind: "answer"; answer: GiftAnswer }
  /**
   * A socket that was lost is in: what its shard had not heard when it asked, up to a number, and from here on everything.
   * Not `isWhole` where the room no longer has all that it missed.
   */
  | { kind: "entry"; socket: string; frames: Frame[]; isWhole: boolean; mark: number };
