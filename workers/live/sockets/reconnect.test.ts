import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../shared/config/config.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { alter, roomStub, rounds, shardStub } from "../testing/rounds.ts";
import {
  connectSocket,
  inLive,
  type SocketClient,
  type SocketOptions,
} from "../testing/socket-client.ts";
import { homeOf } from "./home.ts";

const bearer = ({ token }: { token: string }) => ({
  headers: { authorization: `Bearer ${token}` },
});
const countIn = (roomId: string) => roomStub(roomId).viewerCount();

/** Somebody who talks in the room. */
async function speakerIn(roomId: string): Promise<(message: string) => Promise<void>> {
  const speaker = await inLive(roomId, { name: "Pembicara" });
  return async (message) => {
    expect(await speaker.ask("live:message", { roomId, message })).toEqual({ success: true });
  };
}

const hearsChat = async (socket: SocketClient) => (await socket.hears("live:new-message")).message;

/** Connects on another shard than this one, as a guest's reconnect mostly does. */
async function elsewhere(shard: string, options: SocketOptions): Promise<SocketClient> {
  for (;;) {
    const socket = await connectSocket(options);
    if (socket.shard !== shard) return socket;
    // Not a goodbye: who leaves by himself is not put back.
    socket.cut();
  }
}

describe("an eviction", () => {
  it("of the shard and the room takes nobody out, and what is said still arrives", async () => {
    const roomId = unique();
    const say = await speakerIn(roomId);
    const guest = await inLive(roomId, { name: "Ana", userId: 1 });
    await evictDurableObject(shardStub(guest.shard));
    await evictDurableObject(roomStub(roomId));
    await say("masih di sini?");
    expect(await hearsChat(guest)).toBe("masih di sini?");
    expect(await countIn(roomId)).toBe(2);
  });
});

describe("after a lost connection, when the app sends only user:join again", () => {
  it("a guest is back in his room on another shard, counted once", async () => {
    const roomId = unique();
    const say = await speakerIn(roomId);
    const claim = { userId: Math.floor(Math.random() * 1e9), username: "Ana" };
    const before = await inLive(roomId, { name: claim.username, userId: claim.userId });
    const { pid = "" } = before;
    before.cut();
    const after = await elsewhere(before.shard, { auth: { pid, offset: "" } });
    after.emit("user:join", claim);
    await after.ask("live:leave", { roomId: "lain" });
    await say("selamat datang kembali");
    expect(await hearsChat(after)).toBe("selamat datang kembali");
    expect(await countIn(roomId)).toBe(2);
  });

  it("a user is back before his old socket is known to be dead, and is never counted twice", async () => {
    const roomId = unique();
    const say = await speakerIn(roomId);
    const user = await createUser();
    const before = await inLive(roomId, { auth: { token: user.token } });
    const auth = { token: user.token, pid: before.pid ?? "", offset: "" };
    const after = await elsewhere(before.shard, { auth });
    await restored(after, roomId);
    await say("halo lagi");
    expect(await hearsChat(after)).toBe("halo lagi");
    expect(await countIn(roomId)).toBe(2);
    before.cut();
    await expect.poll(() => countIn(roomId)).toBe(2);
  });

  it("a recovered socket has its id, its rooms and what was said meanwhile", async () => {
    const roomId = unique();
    const say = await speakerIn(roomId);
    const user = await createUser();
    const before = await inLive(roomId, bearer(user));
    await say("satu");
    await hearsChat(before);
    before.cut();
    await expect.poll(() => countIn(roomId)).toBe(1);
    await say("dua");
    const auth = { pid: before.pid ?? "", offset: before.offset ?? "" };
    const after = await connectSocket({ ...bearer(user), auth });
    expect(after.id).toBe(before.id);
    expect(await hearsChat(after)).toBe("dua");
    await expect.poll(() => countIn(roomId)).toBe(2);
    await say("tiga");
    expect(await hearsChat(after)).toBe("tiga");
  });

  it("a recovered session is not another's: who comes with a stranger's token begins anew, in no room", async () => {
    const roomId = unique();
    const say = await speakerIn(roomId);
    const [user, thief] = [await createUser(), await createUser()];
    const before = await inLive(roomId, bearer(user));
    await say("satu");
    await hearsChat(before);
    before.cut();
    await expect.poll(() => countIn(roomId)).toBe(1);
    const auth = { pid: before.pid ?? "", offset: before.offset ?? "" };
    const query = { token: user.token };
    await say("dua");
    const other = await connectSocket({ query, auth: { ...auth, token: thief.token } });
    expect([other.shard, other.id === before.id]).toEqual([before.shard, false]);
    expect(await other.ask("live:leave", { roomId: "lain" })).toEqual({ success: true });
    expect(other.heard).toEqual([]);
    expect(await countIn(roomId)).toBe(1);
  });

  it("what was said is not lost to an eviction of the shard, though nobody was on it meanwhile", async () => {
    const roomId = unique();
    const say = await speakerIn(roomId);
    const user = await createUser();
    const before = await inLive(roomId, bearer(user));
    await say("satu");
    await hearsChat(before);
    before.cut();
    await expect.poll(() => isLost(before), { timeout: 5_000 }).toBe(true);
    await evictDurableObject(shardStub(before.shard));
    for (const message of ["dua", "tiga", "empat"]) await say(message);
    const auth = { pid: before.pid ?? "", offset: before.offset ?? "" };
    const after = await connectSocket({ ...bearer(user), auth });
    expect(after.id).toBe(before.id);
    const heard = [await hearsChat(after), await hearsChat(after), await hearsChat(after)];
    expect(heard).toEqual(["dua", "tiga", "empat"]);
  });

  it("who took longer than a minute is not put back", async () => {
    const roomId = unique();
    const userId = Math.floor(Math.random() * 1e9);
    const before = await inLive(roomId, { name: "Ana", userId });
    before.cut();
    await expect.poll(() => isLost(before), { timeout: 5_000 }).toBe(true);
    expect(await countIn(roomId)).toBe(0);
    await alter(shardStub(before.shard), "update socketio_sockets set lost_at = 1");
    const person = `g:${userId}:Ana`;
    await alter(
      shardStub(homeOf(person, loadConfig(env).LIVE_SHARDS)),
      `update spots set until = 1 where person = '${person}'`,
    );
    const after = await connectSocket({ auth: { pid: before.pid ?? "" } });
    after.emit("user:join", { userId, username: "Ana" });
    expect(await after.ask("live:leave", { roomId })).toEqual({ success: true });
    expect(await countIn(roomId)).toBe(0);
  });

  it("who left by himself is not put back", async () => {
    const roomId = unique();
    const userId = Math.floor(Math.random() * 1e9);
    const before = await inLive(roomId, { name: "Ana", userId });
    await before.ask("live:leave", { roomId });
    before.cut();
    const after = await connectSocket({ auth: { pid: before.pid ?? "" } });
    after.emit("user:join", { userId, username: "Ana" });
    expect(await after.ask("live:leave", { roomId: "lain" })).toEqual({ success: true });
    expect(await countIn(roomId)).toBe(0);
  });

  it("a second tab that opens beside the first enters no room by itself", async () => {
    const roomId = unique();
    const say = await speakerIn(roomId);
    const user = await createUser();
    const first = await inLive(roomId, bearer(user));
    const second = await inLive(unique(), bearer(user));
    await say("halo");
    expect(await hearsChat(first)).toBe("halo");
    expect(second.heard.filter(({ name }) => name === "live:new-message")).toEqual([]);
  });
});

/** A user is put back on connecting, without a word of his: waits until the room knows this socket. */
async function restored(socket: SocketClient, roomId: string): Promise<void> {
  await expect
    .poll(() =>
      runInDurableObject(roomStub(roomId), (_, state) =>
        state.storage.sql.exec("select 1 from members where socket = ?", socket.id).toArray(),
      ),
    )
    .toHaveLength(1);
}

/** Whether a shard has written down that a socket of it is in the room: it does so a little later. */
async function isKept(shard: string, roomId: string): Promise<boolean> {
  const query = "select 1 from socketio_sockets where instr(state, ?) > 0";
  return await runInDurableObject(
    shardStub(shard),
    (_, { storage }) => storage.sql.exec(query, `live:${roomId}`).toArray().length > 0,
  );
}

/** Whether a shard has written down that a socket of it is gone and may come back. */
async function isLost({ shard, id }: SocketClient): Promise<boolean> {
  const query = "select 1 from socketio_sockets where lost_at is not null and instr(state, ?) > 0";
  return await runInDurableObject(
    shardStub(shard),
    (_, { storage }) => storage.sql.exec(query, id).toArray().length > 0,
  );
}

describe("what was lost on the way", () => {
  it("is told again at the shard's rounds: a room that forgot a socket learns of it", async () => {
    const roomId = unique();
    const guest = await inLive(roomId, { name: "Ana", userId: 1 });
    await alter(roomStub(roomId), "delete from members");
    expect(await countIn(roomId)).toBe(0);
    await rounds(guest.shard);
    await expect.poll(() => countIn(roomId)).toBe(1);
  });

  it("with a shard that dies leaves no ghosts: its sockets leave at its next alarm", async () => {
    const roomId = unique();
    const guest = await inLive(roomId, { name: "Ana", userId: 1 });
    await expect.poll(() => isKept(guest.shard, roomId), { timeout: 5_000 }).toBe(true);
    await evictDurableObject(shardStub(guest.shard), { webSockets: "close" });
    await runDurableObjectAlarm(shardStub(guest.shard));
    await expect.poll(() => countIn(roomId)).toBe(0);
  });

  it("is told again also by a shard whose last round found nobody there: who comes next has rounds of his own", async () => {
    const guest = await connectSocket();
    const { shard } = guest;
    guest.cut();
    await expect.poll(() => isLost(guest), { timeout: 5_000 }).toBe(true);
    await rounds(shard);
    let next = await connectSocket();
    while (next.shard !== shard) next = await connectSocket();
    const wakes = await runInDurableObject(shardStub(shard), (_, { storage }) =>
      storage.sql.exec("select wake_at from socketio_clock where wake_at is not null").toArray(),
    );
    expect(wakes).toHaveLength(1);
  });

  it("is told again also by a shard that died in the middle of a round: who comes next has it made up for", async () => {
    const { shard } = await connectSocket();
    const died = `update socketio_clock set wake_at = null; update chores set due_at = ${Date.now() - 1_000}`;
    await alter(shardStub(shard), died);
    let next = await connectSocket();
    while (next.shard !== shard) next = await connectSocket();
    await expect
      .poll(() =>
        runInDurableObject(shardStub(shard), (_, { storage }) =>
          storage.sql.exec("select wake_at > ? as ok from socketio_clock", Date.now()).one(),
        ),
      )
      .toEqual({ ok: 1 });
  });

  it("with a shard that never wakes again lapses: the room's own alarm sees to it", async () => {
    const roomId = unique();
    await inLive(roomId, { name: "Ana", userId: 1 });
    await alter(roomStub(roomId), "update shards set present_until = 1");
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await countIn(roomId)).toBe(0);
  });
});
