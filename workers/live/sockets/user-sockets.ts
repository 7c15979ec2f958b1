import type { PreparedEvent } from "../socketio/index.ts";
import { type AppSocket, closeSignedOut, type Desk } from "./desk.ts";
import { userKey } from "./home.ts";

/** The sockets of a user on this shard whose token still holds. */
function socketsOf(desk: Desk, userId: number): AppSocket[] {
  const now = desk.now();
  return desk.engine
    .socketsIn(userKey(userId))
    .filter(({ data }) => data?.signIn?.userId === userId && data.signIn.expiresAt > now);
}

/** Sends an event to a user's sockets on this shard. */
export function sendTo(desk: Desk, userId: number, event: PreparedEvent): void {
  for (const socket of socketsOf(desk, userId)) socket.send(event);
}

/** Closes a user's sockets on this shard: all, or those of one sign-in. */
export function close(desk: Desk, userId: number, reason: string, sessionId: string | null): void {
  for (const socket of socketsOf(desk, userId)) {
    if (sessionId === null || socket.data?.signIn?.sessionId === sessionId) {
      closeSignedOut(socket, reason);
    }
  }
}
