import { expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { ConnectLater, RecoveryDeclined } from "../socketio/index.ts";
import { Arrivals } from "./arrivals.ts";
import type { AppSocket, Desk } from "./desk.ts";
import { Moves } from "./moves.ts";
import { Reception } from "./reception.ts";
import { close, isUserHere } from "./user-sockets.ts";

it("lets in a good token though Postgres answers nonsense: a client that is refused does not come back by itself", async () => {
  const user = await createUser();
  const failed: string[] = [];
  const desk = {
    context: () => testContext(),
    ...{ name: "s0", shards: 1, arrivals: new Arrivals(), moves: new Moves(() => 0) },
    profiles: { deliver: () => Promise.reject(new Error("the database system is starting up")) },
    beside: (what: string, work: Promise<unknown>) => {
      void work.catch(() => failed.push(what));
    },
  } as unknown as Desk;
  const nothing = {} as never;
  const reception = new Reception({
    ...{ desk, attendance: nothing, requests: nothing, startChores: () => undefined },
  });
  const request = { headers: {}, query: {}, address: "" };
  const join = () => undefined;
  const socket = { id: "a", request, recovered: false, data: null, join } as unknown as AppSocket;
  await reception.connect(socket, { token: user.token });
  expect(socket.data).toMatchObject({
    signIn: { userId: user.userId },
    person: { userId: user.userId, name: "Pengguna" },
  });
  expect(failed).toEqual(["profile"]);
});

/** A reception whose home and profiles answer as told; `s1` is not the home of anybody where there is one shard. */
function reception(answers: { home(): Promise<unknown>; profile(): Promise<unknown> }) {
  const desk = {
    context: () => testContext(),
    ...{
      name: "s1",
      shards: 1,
      arrivals: new Arrivals(),
      moves: new Moves(() => 0),
      now: () => Date.now(),
    },
    homes: { deliver: answers.home },
    profiles: { deliver: answers.profile },
    engine: { socketsIn: () => [], isAwaited: () => false },
    beside: (_: string, work: Promise<unknown>) => void work.catch(() => undefined),
  } as unknown as Desk;
  const nothing = {} as never;
  const parts = { desk, attendance: nothing, requests: nothing, startChores: () => undefined };
  const request = { headers: {}, query: {}, address: "" };
  const socket = { id: "a", request, recovered: false, data: null, join: () => undefined };
  const connect = async ({ token }: TestUser) =>
    await new Reception({ ...parts, pausesMs: [1, 1] }).connect(socket as unknown as AppSocket, {
      token,
    });
  return { desk, connect };
}

const PROFILE = { name: "Ana", avatar: null, level: 1, vip: 0 };

it("tells a user's home before his sign-in is asked for: what ends it later finds him", async () => {
  const order: string[] = [];
  const { connect } = reception({
    home: async () => order.push("home"),
    profile: async () => {
      order.push("profile");
      return PROFILE;
    },
  });
  await connect(await createUser());
  expect(order).toEqual(["home", "profile"]);
});

it("does not let in who is banned while he is on his way in, though his sign-in was read as good", async () => {
  const user = await createUser();
  const { desk, connect } = reception({
    home: async () => ({ rooms: [] }),
    profile: async () => {
      close(desk, user.userId, "habis", null);
      return PROFILE;
    },
  });
  await expect(connect(user)).rejects.toMatchObject({ data: { code: "bad_token" } });
  expect(isUserHere(desk, user.userId)).toBe(false);
});

it("does not let a lost socket go on whose user is banned while it waits for its rooms", async () => {
  const user = await createUser();
  const { desk } = reception({ home: async () => ({ rooms: [] }), profile: async () => PROFILE });
  const attendance = {
    resume: async () => {
      close(desk, user.userId, "habis", null);
      return true;
    },
  } as never;
  const signIn = { userId: user.userId, sessionId: "x", roles: [], expiresAt: Date.now() + 60_000 };
  const socket = { id: "a", recovered: true, data: { signIn } } as unknown as AppSocket;
  const parts = { desk, attendance, requests: {} as never, startChores: () => undefined };
  await expect(new Reception(parts).resume(socket)).rejects.toThrow(RecoveryDeclined);
  expect(isUserHere(desk, user.userId)).toBe(false);
});

it("has a user whose home does not answer connect again, and asks it more than once before", async () => {
  let asked = 0;
  const { connect } = reception({
    home: () => {
      asked += 1;
      return Promise.reject(new Error("the object is being moved"));
    },
    profile: async () => PROFILE,
  });
  await expect(connect(await createUser())).rejects.toThrow(ConnectLater);
  expect(asked).toBe(3);
});

it("lets a guest go on whom an earlier release has kept: he is who he was, and his secret is known from now on", async () => {
  const { desk } = reception({ home: async () => ({ rooms: [] }), profile: async () => PROFILE });
  const nothing = {} as never;
  const parts = { desk, attendance: nothing, requests: nothing, startChores: () => undefined };
  const person = { key: "g:5:Ana", userId: null, name: "Ana", avatar: null, level: 1, vip: 0 };
  const socket = {
    ...{ id: "a", pid: "s1.a", request: { headers: {}, query: {}, address: "" }, recovered: true },
    data: { person: { ...person, address: "x" }, signIn: null, isBatched: false, seat: null },
  } as unknown as AppSocket;
  await new Reception(parts).connect(socket, { pid: "s1.a" });
  expect(socket.data).toMatchObject({
    person: { ...person, address: "x", line: { pid: "s1.a", visitor: "g:5:Ana" } },
    formerPid: null,
  });
});

it.each([
  [true, "s0.lama"],
  [false, null],
])(
  "who goes on and was adrift (%s) is still asked for, as the connection that he named",
  async (isAdrift, formerPid) => {
    const desk = { context: () => testContext(), now: () => 0 } as unknown as Desk;
    const nothing = {} as never;
    const parts = { desk, attendance: nothing, requests: nothing, startChores: () => undefined };
    const line = { pid: "s0.baru", formerPid: "s0.lama", at: 0, number: null, visitor: null };
    const person = { key: "g:#a", userId: null, name: "Tamu", level: 1, vip: 0, line };
    const data = {
      person,
      signIn: null,
      isBatched: false,
      seat: null,
      formerPid: "s0.lama",
      isAdrift,
    };
    const request = { headers: {}, query: {}, address: "" };
    const socket = { id: "a", pid: "s0.baru", request, recovered: true, data };
    await new Reception(parts).connect(socket as unknown as AppSocket, {});
    expect(socket.data).toMatchObject({ isAdrift, formerPid });
  },
);
