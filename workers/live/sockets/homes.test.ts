import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../shared/config/config.ts";
import { banUser } from "../../identity/index.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { endUserSockets, sendToUser } from "../room-client.ts";
import { alter, roomStub, rounds, shardStub } from "../testing/rounds.ts";
import { connectSocket, inLive, type SocketClient } from "../testing/socket-client.ts";
import { homeOf, userKey } from "./home.ts";

/**
 * A token that comes in the CONNECT packet alone comes when the connection has its shard already. His home must know all
 * of a user's sockets all the same: whatever is sent to him reaches each, and what ends him ends all.
 */

const { LIVE_SHARDS } = loadConfig(env);
const homeName = ({ userId }: TestUser) => homeOf(userKey(userId), LIVE_SHARDS);
const countIn = (roomId: string) => roomStub(roomId).viewerCount();

/** A socket of the user whose token came in the CONNECT packet, on none of these shards. */
async function notOn(user: TestUser, shards: string[], roomId?: string): Promise<SocketClient> {
  for (;;) {
    const options = { auth: { token: user.token } };
    const socket = await (roomId ? inLive(roomId, options) : connectSocket(options));
    if (!shards.includes(socket.shard)) return socket;
    socket.leave();
  }
}

/** One socket at the user's home and two on other shards. */
async function three(user: TestUser, roomId?: string): Promise<SocketClient[]> {
  const home = homeName(user);
  const headers = { authorization: `Bearer ${user.token}` };
  const first = await (roomId ? inLive(roomId, { headers }) : connectSocket({ headers }));
  const second = await notOn(user, [home], roomId);
  return [first, second, await notOn(user, [home, second.shard], roomId)];
}

let n = 0;
/** Sends something to the user and waits until each of these sockets has it. */
async function reaches(user: TestUser, ...sockets: SocketClient[]): Promise<void> {
  n += 1;
  await sendToUser(testContext(), user.userId, "uji", { n });
  for (const socket of sockets) expect(await socket.hears("uji")).toEqual({ n });
}

describe("a token in header or address", () => {
  it.each([
    ["header", (token: string) => ({ headers: { authorization: `Bearer ${token}` } })],
    ["address", (token: string) => ({ query: { token } })],
  ])("in the %s brings every connection of its user to his home", async (_, options) => {
    const users = await Promise.all(Array.from({ length: 4 }, () => createUser()));
    const sockets = await Promise.all(users.map(({ token }) => connectSocket(options(token))));
    expect(sockets.map(({ shard }) => shard)).toEqual(users.map(homeName));
  });
});

describe("a token in the CONNECT packet alone", () => {
  it("has its socket known at the user's home from the first moment, on whatever shard it landed", async () => {
    const user = await createUser();
    const sockets: SocketClient[] = [];
    for (let i = 0; i < 4; i += 1) {
      const shards = [homeName(user), ...sockets.map(({ shard }) => shard)];
      sockets.push(await notOn(user, shards));
      await reaches(user, ...sockets);
    }
  });

  it("survives the eviction of the home and of the shards, before each message and before the end", async () => {
    const user = await createUser();
    const sockets = await three(user);
    for (const { shard } of sockets) await evictDurableObject(shardStub(shard));
    await reaches(user, ...sockets);
    for (const { shard } of sockets) await evictDurableObject(shardStub(shard));
    await banUser(testContext(), user.userId, endUserSockets);
    await Promise.all(sockets.map((socket) => socket.isClosed()));
  });

  it("is told again where the home has lost its list, at the next round of the shard", async () => {
    const user = await createUser();
    const [home, away] = await three(user);
    if (!home || !away) throw new Error("no sockets");
    await alter(shardStub(home.shard), `delete from user_shards where user_id = ${user.userId}`);
    await rounds(away.shard);
    await expect
      .poll(async () => {
        await sendToUser(testContext(), user.userId, "uji", {});
        return away.heard.some(({ name }) => name === "uji");
      })
      .toBe(true);
  });

  it("follows its user from shard to shard when he connects again", async () => {
    const user = await createUser();
    let socket = await notOn(user, [homeName(user)]);
    for (let i = 0; i < 3; i += 1) {
      const { shard, pid = "" } = socket;
      socket.cut();
      const auth = { token: user.token, pid, offset: "" };
      do socket = await connectSocket({ auth });
      while (socket.shard === shard);
      await reaches(user, socket);
    }
  });

  it("makes one viewer of a user's sockets on three shards, until the last of them leaves", async () => {
    const user = await createUser();
    const roomId = unique();
    const watcher = await inLive(roomId, { name: "Penonton" });
    const sockets = await three(user, roomId);
    expect(await countIn(roomId)).toBe(2);
    await evictDurableObject(roomStub(roomId));
    await evictDurableObject(shardStub(homeName(user)));
    for (const socket of sockets) {
      expect(await countIn(roomId)).toBe(2);
      expect(await socket.ask("live:leave", { roomId })).toEqual({ success: true });
    }
    expect(await countIn(roomId)).toBe(1);
    expect(watcher.closed).toBe(false);
  });

  it("has what was sent to its user while it was away, when it comes back to its shard", async () => {
    const user = await createUser();
    const before = await connectSocket({ query: { token: user.token } });
    await reaches(user, before);
    const auth = { pid: before.pid ?? "", offset: before.offset ?? "" };
    before.cut();
    await expect
      .poll(() => shardStub(before.shard).sendToUser(user.userId, PREPARED, "susulan"))
      .toBe(true);
    const after = await connectSocket({ query: { token: user.token }, auth });
    expect(after.id).toBe(before.id);
    expect(await after.hears("susulan")).toEqual({});
  });
});

const PREPARED = { body: '["susulan",{}]', attachments: [] };
