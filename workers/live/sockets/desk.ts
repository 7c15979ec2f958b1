import type { Actor, Ctx } from "../../../shared/context.ts";
import type { Courier, Couriers } from "../courier.ts";
import type { RoomOp, RoomReply } from "../rooms/ops.ts";
import type { Socket, SocketIoEngine } from "../socketio/index.ts";
import type { Arrivals } from "./arrivals.ts";
import type { HomeOp } from "./directory.ts";
import type { Marks } from "./marks.ts";
import type { Moves } from "./moves.ts";
import type { Profile, SignIn, SocketData } from "./people.ts";
import type { HomeReply } from "./spots.ts";

export type AppSocket = Socket<SocketData>;
export type Ack = ((...args: unknown[]) => void) | null;

/** What everything in a shard works with. */
export interface Desk {
  /** This shard's own name. */
  name: string;
  /** How many shards there are. */
  shards: number;
  guestChat: boolean;
  giftDrawings: boolean;
  engine: SocketIoEngine<SocketData>;
  /** Users who are being let in. */
  arrivals: Arrivals;
  /** Sockets of users between shards. */
  moves: Moves;
  /** What rooms said last to this shard. */
  marks: Marks;
  /** Brings what sockets ask to rooms, by the room's name. */
  rooms: Couriers<RoomOp, RoomReply>;
  /** Tells the homes of persons, by the shard's name. */
  homes: Couriers<HomeOp, HomeReply>;
  /** Asks Postgres about sign-ins, many at a time. */
  profiles: Courier<SignIn, Profile>;
  context(actor?: Actor): Ctx;
  now(): number;
  /** Goes on beside the socket's next event; a failure is logged. */
  beside(what: string, work: Promise<unknown>): void;
}

/** Why a socket is not given what it asked for. */
export interface Refusal {
  code: string;
  message: string;
  [key: string]: unknown;
}

/** Tells a socket, and it alone, that it does not get what it asked for. */
export function refuse(socket: AppSocket, ack: Ack, refusal: Refusal): void {
  ack?.({ success: false, ...refusal });
  socket.emit("error", refusal);
}

/** Closes a socket whose sign-in is over: the client must not go on under a name that it lost. */
export function closeSignedOut(socket: AppSocket, message = "Token tidak valid"): void {
  socket.emit("error", { code: "bad_token", message });
  socket.disconnect(true);
}

export const UNAVAILABLE: Refusal = {
  code: "unavailable",
  message: "Layanan sedang terganggu. Silakan coba lagi sebentar lagi.",
};
