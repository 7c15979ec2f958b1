import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { sendToUser } from "../room-client.ts";
import { prepareEvent } from "../socketio/index.ts";
import { roomStub, shardStub } from "../testing/rounds.ts";
import {
  connectSocket,
  inLive,
  type SocketClient,
  type SocketOptions,
} from "../testing/socket-client.ts";
import { guest, say } from "../testing/stage.ts";

/**
 * A client whose token comes in the CONNECT packet alone, and a guest, land on any shard each time they connect. What they
 * had on the one before comes with them.
 */

const speaker = guest("Pembicara");
const tell = (roomId: string, ...texts: (string | number)[]) =>
  roomStub(roomId).apply(
    "s9",
    texts.map((text) => say("speaker", speaker, String(text))),
  );

const resuming = ({ pid = "", offset }: SocketClient) =>
  offset === undefined ? { pid } : { pid, offset };

/** Comes back to a shard as this client. */
const comeTo = (shard: string, socket: SocketClient, auth: object = {}, more: SocketOptions = {}) =>
  connectSocket({ ...more, shard, auth: { ...resuming(socket), ...auth } });

const chat = async (socket: SocketClient, count: number) => {
  const heard: string[] = [];
  while (heard.length < count) heard.push((await socket.hears("live:new-message")).message);
  return heard;
};

/** What the room has written down of a socket and of the shards that it tells. */
const known = (roomId: string, { id }: SocketClient) =>
  runInDurableObject(roomStub(roomId), (_, { storage }) => ({
    on: storage.sql.exec("select shard from members where socket = ?", id).toArray(),
    shards: storage.sql.exec("select name from shards order by name").toArray(),
  }));

/** Who connects, and how he shows who he is each time. */
const people: [string, () => Promise<Record<string, unknown>>][] = [
  [
    "a user whose token is in the CONNECT packet",
    async () => ({ token: (await createUser()).token }),
  ],
  ["a guest", async () => ({})],
];

describe.each(people)("%s", (_, newcomer) => {
  it("goes on on another shard as the same socket, in his rooms, with what was said meanwhile", async () => {
    const roomId = unique();
    const auth = await newcomer();
    const before = await inLive(roomId, { shard: "s0", auth });
    await tell(roomId, "satu");
    expect(await chat(before, 1)).toEqual(["satu"]);
    before.cut();
    await tell(roomId, "dua", "tiga");
    const after = await comeTo("s1", before, auth);
    expect([after.id, after.pid]).toEqual([before.id, before.pid]);
    expect(await chat(after, 2)).toEqual(["dua", "tiga"]);
    await tell(roomId, "empat");
    expect(await chat(after, 1)).toEqual(["empat"]);
    expect(await roomStub(roomId).viewerCount()).toBe(2);
    await tell(roomId, "lima");
    await expect
      .poll(() => known(roomId, before))
      .toEqual({
        on: [{ shard: "s1" }],
        shards: [{ name: "s1" }, { name: "s9" }],
      });
  });

  it("does so when the shard that he was on has been evicted since, with or without his connection", async () => {
    for (const webSockets of ["hibernate", "close"] as const) {
      const roomId = unique();
      const auth = await newcomer();
      const before = await inLive(roomId, { shard: "s0", auth });
      await tell(roomId, "satu");
      await chat(before, 1);
      await expect.poll(() => isKept(before)).toBe(true);
      await evictDurableObject(shardStub("s0"), { webSockets });
      before.cut();
      await tell(roomId, "dua");
      const after = await comeTo("s2", before, auth);
      expect(after.id).toBe(before.id);
      expect(await chat(after, 1)).toEqual(["dua"]);
    }
  });

  it("hears each message once and in order, however often he changes shards while they are said", async () => {
    const roomId = unique();
    const auth = await newcomer();
    let socket = await inLive(roomId, { shard: "s0", auth });
    const { id } = socket;
    let said = 0;
    const more = () => tell(roomId, ...Array.from({ length: 3 }, () => (said += 1)));
    const heard: string[] = [];
    const take = () => {
      for (const { name, args } of socket.heard.splice(0)) {
        if (name === "live:new-message") heard.push((args[0] as { message: string }).message);
      }
    };
    for (const shard of ["s1", "s2", "s0", "s1", "s1", "s0"]) {
      await more();
      socket.cut();
      // What had come is his; what comes after he is gone is not.
      take();
      const saying = [more(), more()];
      socket = await comeTo(shard, socket, auth);
      expect(socket.id).toBe(id);
      await Promise.all([...saying, more()]);
    }
    await expect
      .poll(() => {
        take();
        return heard.length;
      })
      .toBeGreaterThanOrEqual(said);
    expect(heard).toEqual(Array.from({ length: said }, (_, i) => String(i + 1)));
  });

  it("takes his batches along", async () => {
    const roomId = unique();
    const auth = { ...(await newcomer()), batch: true };
    const before = await inLive(roomId, { shard: "s0", auth });
    before.cut();
    await tell(roomId, "satu", "dua");
    const after = await comeTo("s1", before, auth);
    const heard: unknown[] = [];
    await tell(roomId, "tiga");
    while (heard.length < 3) {
      const batch: [string, { message?: string }][] = await after.hears("live:batch");
      for (const [name, { message }] of batch) if (name === "live:new-message") heard.push(message);
    }
    expect(heard).toEqual(["satu", "dua", "tiga"]);
  });
});

it("what is sent to a user while he changes shards reaches him once", async () => {
  const user = await createUser();
  const auth = { token: user.token };
  let socket = await connectSocket({ shard: "s0", auth });
  const heard: unknown[] = [];
  const take = () => {
    for (const { name, args } of socket.heard.splice(0)) if (name === "uji") heard.push(args[0]);
  };
  let sent = 0;
  const send = () => {
    sent += 1;
    return sendToUser(testContext(), user.userId, "uji", sent);
  };
  for (const shard of ["s1", "s2", "s0", "s2"]) {
    await send();
    socket.cut();
    take();
    const sending = [send(), send()];
    socket = await comeTo(shard, socket, auth);
    await Promise.all([...sending, send()]);
  }
  await expect
    .poll(() => {
      take();
      return heard.length;
    })
    .toBeGreaterThanOrEqual(sent);
  expect(heard.toSorted((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: sent }, (_, i) => i + 1),
  );
});

it("what his other tab on a shard had before he came there reaches him too, passed on by the shard that he left", async () => {
  const user = await createUser();
  const auth = { token: user.token };
  const tab = await connectSocket({ shard: "s1", auth });
  const before = await connectSocket({ shard: "s0", auth });
  const id = crypto.randomUUID();
  const bring = (shard: string) =>
    shardStub(shard).sendToUser(user.userId, prepareEvent("uji", ["a"]), id);
  await bring("s1");
  expect(await tab.hears("uji")).toBe("a");
  before.cut();
  const after = await comeTo("s1", before, auth);
  // His home asked both shards at once; this one was slow.
  await bring("s0");
  expect(await after.hears("uji")).toBe("a");
  await bring("s1");
  for (const socket of [after, tab]) await socket.ask("live:leave", { roomId: "lain" });
  expect([after.heard, tab.heard]).toEqual([[], []]);
});

it("who changes shards again before anything is said hears nothing twice", async () => {
  const roomId = unique();
  const auth = { token: (await createUser()).token };
  // With his other tab there, the room has nothing to tell of him.
  await inLive(roomId, { shard: "s6", auth });
  const before = await inLive(roomId, { shard: "s3", auth });
  await tell(roomId, "satu");
  expect(await chat(before, 1)).toEqual(["satu"]);
  before.cut();
  const next = await comeTo("s4", before, auth);
  await next.ask("live:leave", { roomId: "lain" });
  next.cut();
  next.offset ??= before.offset;
  const last = await comeTo("s5", next, auth);
  expect(last.id).toBe(before.id);
  await last.ask("live:leave", { roomId: "lain" });
  await tell(roomId, "dua");
  expect(await chat(last, 1)).toEqual(["dua"]);
});

describe("a pid", () => {
  it("of a user gives nothing to a guest or to another user, who begin anew, and stays good for him", async () => {
    const roomId = unique();
    const [user, thief] = [await createUser(), await createUser()];
    const auth = { token: user.token };
    const before = await inLive(roomId, { shard: "s0", auth });
    await tell(roomId, "satu");
    await chat(before, 1);
    before.cut();
    await tell(roomId, "rahasia");
    for (const other of [{}, { token: thief.token }]) {
      const stranger = await comeTo("s1", before, other);
      expect(stranger.id).not.toBe(before.id);
      expect(await stranger.ask("live:leave", { roomId: "lain" })).toEqual({ success: true });
      expect(stranger.heard).toEqual([]);
    }
    const after = await comeTo("s1", before, auth);
    expect(after.id).toBe(before.id);
    expect(await chat(after, 1)).toEqual(["rahasia"]);
  });

  it("of a guest gives a user nothing", async () => {
    const before = await inLive(unique(), { shard: "s0" });
    before.cut();
    const after = await comeTo("s1", before, { token: (await createUser()).token });
    expect(after.id).not.toBe(before.id);
  });

  it("is good for one of two who come at the same time", async () => {
    const roomId = unique();
    const before = await inLive(roomId, { shard: "s0" });
    before.cut();
    const both = await Promise.all(["s1", "s2"].map((shard) => comeTo(shard, before)));
    const alive = both.filter((socket) => socket.id === before.id && !socket.closed);
    expect(alive).toHaveLength(1);
    await expect.poll(async () => (await known(roomId, before)).on).toHaveLength(1);
  });

  it.each(["s99", "s1000", "x", ".."])("that names the shard %s asks nobody", async (shard) => {
    const pid = `${shard}.${"x".repeat(22)}`;
    const after = await connectSocket({ shard: "s1", auth: { pid, offset: "" } });
    expect(await after.ask("live:leave", { roomId: "lain" })).toEqual({ success: true });
  });
});

/** Whether a shard has written down who this is, and all else: it does so a little later. */
const isKept = ({ shard, id }: SocketClient) =>
  runInDurableObject(
    shardStub(shard),
    (_, { storage }) =>
      storage.sql
        .exec(
          "select 1 from socketio_sockets, socketio_clock where instr(state, ?) > 0 and instr(state, 'live:') > 0 and is_unwritten = 0",
          id,
        )
        .toArray().length > 0,
  );
