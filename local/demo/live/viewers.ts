import { io, type Socket } from "socket.io-client";
import type { Tell } from "../narrator.ts";
import type { Person } from "./people.ts";

/** Who watches: somebody with a token, or a guest under a name that he claims. */
export interface Viewer {
  socket: Socket;
  name: string;
  person: Person | null;
  /** Chat messages of others that arrived here. */
  heard: number;
}

export interface GiftShown {
  from: { userId: number };
  to: { userId: number };
  gift: { name: string; price: number; hostIncome: number };
  count: number;
}

const PATIENCE_MS = 20_000;

/** The stock client of the app: WebSocket only, joined as soon as it is connected. */
export async function watch(
  tell: Tell,
  roomId: string,
  who: { name: string; person: Person | null },
): Promise<Viewer> {
  const auth = who.person ? { token: who.person.token } : {};
  const socket = io(tell.app, { transports: ["websocket"], forceNew: true, auth });
  const viewer: Viewer = { socket, ...who, heard: 0 };
  socket.on("live:new-message", () => {
    viewer.heard += 1;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
  const claim = { userId: who.person?.id ?? null, username: who.name };
  socket.emit("user:join", claim);
  socket.emit("live:join", { roomId, ...claim });
  return viewer;
}

/** The next event of that name that `accept` is content with. */
export function nextEvent<T>(
  socket: Socket,
  name: string,
  accept: (payload: T) => boolean,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`waited for ${name}`)), PATIENCE_MS);
    const hear = (payload: T) => {
      if (!accept(payload)) return;
      clearTimeout(late);
      socket.off(name, hear);
      resolve(payload);
    };
    socket.on(name, hear);
  });
}
