import { AppError } from "../../../shared/http/errors.ts";
import { inTime } from "../../../shared/time/in-time.ts";
import type { PersonCard } from "../rooms/ops.ts";
import {
  ConnectLater,
  ConnectRefused,
  type DisconnectReason,
  type Handlers,
  RecoveryDeclined,
  shardOf,
} from "../socketio/index.ts";
import type { Attendance } from "./attendance.ts";
import { type Ack, type AppSocket, closeSignedOut, type Desk } from "./desk.ts";
import { addressKey, homeOf, userKey } from "./home.ts";
import {
  guestCard,
  keptCard,
  type Profile,
  type SignIn,
  type SocketData,
  signInOf,
  tokenOf,
  userCard,
} from "./people.ts";
import type { Requests } from "./requests.ts";
import { stubbornly } from "./stubbornly.ts";

/** Who connects does not wait longer for his home. */
const ENLIST_MS = 5_000;

/** Lets sockets in and out: a good token is a user, no token a guest, a bad token a connect error. */
export class Reception implements Handlers<SocketData> {
  readonly #desk: Desk;
  readonly #attendance: Attendance;
  readonly #requests: Requests;
  readonly #startChores: (expiresAt: number | null) => void;
  readonly #pausesMs: readonly number[] | undefined;

  constructor(parts: {
    desk: Desk;
    attendance: Attendance;
    requests: Requests;
    startChores: (expiresAt: number | null) => void;
    /** Between questions to a home that does not answer. */
    pausesMs?: readonly number[];
  }) {
    this.#desk = parts.desk;
    this.#attendance = parts.attendance;
    this.#requests = parts.requests;
    this.#startChores = parts.startChores;
    this.#pausesMs = parts.pausesMs;
  }

  async connect(socket: AppSocket, auth: Record<string, unknown>): Promise<void> {
    const token = tokenOf(socket.request, auth);
    const signIn = token === null ? null : await this.#verify(token);
    const before = socket.recovered ? socket.data : null;
    const isReturning = typeof auth.pid === "string";
    const isBatched = before?.isBatched ?? auth.batch === true;
    const { seat = null, pending = {}, moves = 0 } = before ?? {};
    const isAdrift = before?.isAdrift ?? false;
    const known = isAdrift ? (before?.formerPid ?? null) : null;
    const formerPid = before ? known : pidOf(auth);
    const guest = () =>
      before
        ? keptCard(before.person, socket.pid, this.#desk.now())
        : this.#guest(socket, formerPid);
    const person = signIn ? await this.#arrive(socket, signIn) : guest();
    const place = { seat, pending, moves, isAdrift };
    socket.data = { person, signIn, isBatched, isReturning, formerPid, ...place };
  }

  /**
   * A guest proves nothing, and goes on as a guest only. Who has signed in or out since is somebody else: he begins anew, as
   * a refusal would keep his client away for good.
   */
  async identify(
    request: AppSocket["request"],
    auth: Record<string, unknown>,
  ): Promise<string | null> {
    const token = tokenOf(request, auth);
    if (token === null) return GUEST;
    const signIn = await signInOf(this.#desk.context(), token);
    return signIn && userKey(signIn.userId);
  }

  owns(data: Readonly<SocketData> | null, who: string): boolean {
    return data !== null && who === (data.signIn ? userKey(data.signIn.userId) : GUEST);
  }

  moving(socket: AppSocket, to: string): { rooms: string[]; data: SocketData | null } {
    const { signIn } = socket.data ?? {};
    const packed = this.#attendance.packed(socket);
    const turn = packed.data?.moves ?? 0;
    if (!signIn || !packed.data) return packed;
    const { moves } = this.#desk;
    const { userId } = signIn;
    moves.left({ socket: socket.id, userId, shard: to, turn });
    return { ...packed, data: { ...packed.data, had: moves.latest(userId, socket.id) } };
  }

  moved({ id: socket, data }: AppSocket): void {
    if (data?.signIn) this.#desk.moves.came(socket, data.signIn.userId, data.had ?? []);
  }

  /** Who cannot be given the whole of what he missed begins anew, and his client knows it. */
  async resume(socket: AppSocket): Promise<void> {
    const { signIn } = socket.data ?? {};
    const { arrivals } = this.#desk;
    const arrival = signIn && arrivals.begin(signIn);
    try {
      const isWhole = await this.#attendance.resume(socket);
      if (!isWhole || arrival?.isEnded) throw new RecoveryDeclined();
    } finally {
      if (arrival) arrivals.done(arrival);
    }
  }

  async connected(socket: AppSocket): Promise<void> {
    const { signIn, formerPid } = socket.data ?? {};
    this.#startChores(signIn?.expiresAt ?? null);
    if (socket.recovered) this.#attendance.renewPlaces([socket]);
    else if (signIn || formerPid) await this.#attendance.restore(socket);
  }

  async event(socket: AppSocket, name: string, args: unknown[], ack: Ack): Promise<void> {
    const { data } = socket;
    if (!data) return;
    if (data.signIn && data.signIn.expiresAt <= this.#desk.now()) return closeSignedOut(socket);
    await this.#requests.handle(socket, data, name, args[0], ack);
  }

  disconnect(socket: AppSocket, reason: DisconnectReason): void {
    this.#attendance.lose(socket, reason);
  }

  /**
   * A user comes: first his home learns that he is here, then his sign-in is asked for. So whatever ends it from then on
   * finds this socket, or the arrival that it still is, and what is sent to him reaches it from its first moment.
   */
  async #arrive(socket: AppSocket, signIn: SignIn): Promise<PersonCard> {
    const { arrivals } = this.#desk;
    const arrival = arrivals.begin(signIn);
    try {
      await this.#enlist(signIn.userId);
      const profile = await this.#profile(signIn);
      if (arrival.isEnded) throw badToken();
      socket.join(userKey(signIn.userId));
      return userCard(signIn.userId, profile);
    } finally {
      arrivals.done(arrival);
    }
  }

  #guest(socket: AppSocket, formerPid: string | null): PersonCard {
    const address = addressKey(socket.request.address);
    return guestCard(socket, { address, formerPid, at: this.#desk.now() });
  }

  /** A home that does not answer is being moved: like those who live there, he connects again in a moment. */
  async #enlist(userId: number): Promise<void> {
    const { name, shards, homes, beside } = this.#desk;
    const home = homeOf(userKey(userId), shards);
    if (home === name) return;
    const op = { kind: "enlist", userId, shard: name } as const;
    try {
      const tell = () => homes.deliver(home, op);
      await inTime(ENLIST_MS, stubbornly(tell, this.#pausesMs && { pausesMs: this.#pausesMs }));
    } catch (error) {
      beside("home", Promise.reject(error));
      throw new ConnectLater();
    }
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

const GUEST = "guest";
const pidOf = ({ pid }: Record<string, unknown>): string | null =>
  typeof pid === "string" && shardOf(pid) !== null ? pid : null;
const badToken = () => new ConnectRefused("Token tidak valid", { code: "bad_token" });
