/** A person as a gift shows him: everything from our own rows, nothing that a client claimed. */
export interface GiftGiver {
  userId: number;
  username: string;
  /** Absolute or relative address of his picture; empty when he has none. */
  avatar: string;
  level: number;
  vip: number;
}

/** A committed gift as rooms show it (contract §3.4, `live:gift-received`); all ids are numbers, save the catalogue's. */
export interface GiftNews {
  /** By which a room knows that it has shown it; the release before tells none. */
  giftRowId?: number;
  /** False where nobody can have told of it before; what does not say may be a repeat. */
  repeated?: boolean;
  from: GiftGiver;
  to: { userId: number; username: string };
  gift: {
    /** The catalogue's id, such as `cute`. */
    id: string;
    name: string;
    /** Price of one. */
    price: number;
    category: string;
    /** The host's share as a fraction, 0.1 or 0.5. */
    hostShare: number;
    /** What the host got for all of them. */
    hostIncome: number;
  };
  count: number;
  /** How its sender's app draws it (`drawingOf`). */
  drawing?: string;
  /** Of a gift over REST: where it was given from, as a socket's (`PersonCard`). */
  address?: string | null;
}

/** A live that began or ended, as the verbs of `sessions.ts` know it. */
export interface LiveNews {
  roomId: string;
  hostId: number;
  state: "started" | "ended";
  sessionId: number;
  hostName: string;
  /** Of a start: where it was asked for, as a socket's (`PersonCard`). */
  address?: string | null;
  /** Of a start: when it was asked for; without it now. */
  askedAt?: number;
}

/** One who watches, as the app's viewer list wants him. */
export interface Viewer {
  /** The user's id, or a word of our own for a guest. */
  id: number | string;
  name: string;
  avatar: string | null;
  level: number;
  verified: boolean;
}
