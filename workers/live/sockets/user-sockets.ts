import type { PreparedEvent } from "../socketio/index.ts";
import { type AppSocket, closeSignedOut, type Desk } from "./desk.ts";
import { userKey } from "./home.ts";

/**
 * Sends an event to a user's sockets on this shard, each once; who lost his connection gets it when he comes back. `id`
 * is the event's own.
 */
export function sendTo(desk: Desk, userId: number, event: PreparedEvent, id: string): void {
  // Nobody is here to whom it could be repeated.
  if (!isUserHere(desk, userId)) return;
  const had = desk.moves.direct(id, userId);
  if (had === null) return;
  const now = desk.now();
  const key = userKey(userId);
  const isOver = ({ data }: AppSocket) =>
    data?.signIn?.userId !== userId || data.signIn.expiresAt <= now;
  const except = desk.engine.socketsIn(key).flatMap((socket) => (isOver(socket) ? socket.id : []));
  desk.engine.to(key).send(event, { except: [...except, ...had] });
}

/** Closes a user's sockets on this shard, and those that are being let in: all, or those of one sign-in. */
export function close(desk: Desk, userId: number, reason: string, sessionId: string | null): void {
  desk.arrivals.end(userId, sessionId);
  for (const socket of desk.engine.socketsIn(userKey(userId))) {
    const { signIn } = socket.data ?? {};
    if (signIn?.userId !== userId) continue;
    if (sessionId === null || signIn.sessionId === sessionId) closeSignedOut(socket, reason);
  }
}

/** Whether a user has sockets on this shard: open, being let in, or lost and able to come back. */
export function isUserHere({ engine, arrivals }: Desk, userId: number): boolean {
  const key = userKey(userId);
  return engine.socketsIn(key).length > 0 || arrivals.has(userId) || engine.isAwaited(key);
}
