import { AppError } from "../../../shared/http/errors.ts";
import {
  ConnectRefused,
  type DisconnectReason,
  type Handlers,
  RecoveryDeclined,
} from "../socketio/index.ts";
import type { Attendance } from "./attendance.ts";
import { type Ack, type AppSocket, closeSignedOut, type Desk } from "./desk.ts";
import { addressKey, homeOf, userKey } from "./home.ts";
import {
  guestCard,
  type Profile,
  type SignIn,
  type SocketData,
  signInOf,
  tokenOf,
  userCard,
} from "./people.ts";
import type { Requests } from "./requests.ts";

/** Lets sockets in and out: a good token is a user, no token a guest, a bad token a connect error. */
export class Reception implements Handlers<SocketData> {
  readonly #desk: Desk;
  readonly #attendance: Attendance;
  readonly #requests: Requests;
  readonly #startChores: (expiresAt: number | null) => void;

  constructor(parts: {
    desk: Desk;
    attendance: Attendance;
    requests: Requests;
    startChores: (expiresAt: number | null) => void;
  }) {
    this.#desk = parts.desk;
    this.#attendance = parts.attendance;
    this.#requests = parts.requests;
    this.#startChores = parts.startChores;
  }

  async connect(socket: AppSocket, auth: Record<string, unknown>): Promise<void> {
    const token = tokenOf(socket.request, auth);
    const signIn = token === null ? null : await this.#verify(token);
    const before = socket.recovered ? socket.data : null;
    // Who has signed in or out since is somebody else; a refusal would keep his client away for good.
    if (before && before.signIn?.userId !== signIn?.userId) throw new RecoveryDeclined();
    const guest = before?.person ?? guestCard(null, socket.id, addressKey(socket.request.address));
    const person = signIn ? userCard(signIn.userId, await this.#profile(signIn)) : guest;
    const isReturning = typeof auth.pid === "string";
    const isBatched = before?.isBatched ?? auth.batch === true;
    socket.data = { person, signIn, isBatched, isReturning, seat: before?.seat ?? null };
  }

  async connected(socket: AppSocket): Promise<void> {
    const { signIn } = socket.data ?? {};
    this.#startChores(signIn?.expiresAt ?? null);
    if (signIn) this.#enlist(socket, signIn);
    if (socket.recovered) await this.#attendance.rejoin(socket);
    else if (signIn) await this.#attendance.restore(socket);
  }

  async event(socket: AppSocket, name: string, args: unknown[], ack: Ack): Promise<void> {
    const { data } = socket;
    if (!data) return;
    if (data.signIn && data.signIn.expiresAt <= this.#desk.now()) return closeSignedOut(socket);
    await this.#requests.handle(socket, data, name, args[0], ack);
  }

  disconnect(socket: AppSocket, reason: DisconnectReason): void {
    this.#attendance.lose(socket, reason);
    const { signIn } = socket.data ?? {};
    if (!signIn) return;
    const { engine, name, shards, homes, beside } = this.#desk;
    const key = userKey(signIn.userId);
    const home = homeOf(key, shards);
    const isLast = engine.socketsIn(key).every(({ id }) => id === socket.id);
    if (home === name || !isLast) return;
    beside("home", homes.deliver(home, { kind: "delist", userId: signIn.userId, shard: name }));
  }

  #enlist(socket: AppSocket, { userId }: SignIn): void {
    const { name, shards, homes, beside } = this.#desk;
    socket.join(userKey(userId));
    const home = homeOf(userKey(userId), shards);
    if (home === name) return;
    beside("home", homes.deliver(home, { kind: "enlist", userId, shard: name }));
  }

  async #verify(token: string): Promise<SignIn> {
    const signIn = await signInOf(this.#desk.context(), token);
    if (!signIn) throw badToken();
    return signIn;
  }

  /**
   * Null while the database is away, or fails in whatever way: the signature is good, the sign-in is asked for at the next
   * round, and a client that is refused for our fault would not come back by itself.
   */
  async #profile(signIn: SignIn): Promise<Profile> {
    let profile: Profile;
    try {
      profile = await this.#desk.profiles.deliver(signIn);
    } catch (error) {
      const isAway = error instanceof AppError && error.code === "unavailable";
      if (!isAway) this.#desk.beside("profile", Promise.reject(error));
      return null;
    }
    if (!profile) throw badToken();
    return profile;
  }
}

const badToken = () => new ConnectRefused("Token tidak valid", { code: "bad_token" });
