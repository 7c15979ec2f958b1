import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { createUser, unique } from "../../testing/factories.ts";
import { alter, roomStub, shardStub } from "../testing/rounds.ts";
import {
  connectSocket,
  inLive,
  type SocketClient,
  type SocketOptions,
} from "../testing/socket-client.ts";

/** Cuts a connection, and has its client come back with what does not suffice to go on, as after a deploy. */
async function beginsAnew(before: SocketClient, options: SocketOptions): Promise<SocketClient> {
  before.cut();
  const isLost = () =>
    runInDurableObject(shardStub(before.shard), (_, { storage }) => {
      const query = "select 1 from socketio_sockets where lost_at > 0 and instr(state, ?) > 0";
      return storage.sql.exec(query, before.id).toArray().length > 0;
    });
  await expect.poll(isLost, { timeout: 5_000 }).toBe(true);
  await alter(
    shardStub(before.shard),
    `update socketio_sockets set lost_at = 1 where instr(state, '${before.id}') > 0`,
  );
  const after = await connectSocket({ ...options, auth: { pid: before.pid ?? "" } });
  expect(after.id).not.toBe(before.id);
  return after;
}

const isIn = (socket: SocketClient, roomId: string) =>
  runInDurableObject(
    roomStub(roomId),
    (_, { storage }) =>
      storage.sql.exec("select 1 from members where socket = ?", socket.id).toArray().length > 0,
  );

/** Two tabs, each in a room of its own, begin anew: answers who is in which room, own ones first. */
async function afterwards(options: SocketOptions & { name?: string; userId?: number }) {
  const rooms = [unique(), unique()] as const;
  const before = [await inLive(rooms[0], options), await inLive(rooms[1], options)] as const;
  const come = async (socket: SocketClient, own: string) => {
    const after = await beginsAnew(socket, options);
    const { name, userId } = options;
    if (userId) after.emit("user:join", { userId, username: name });
    await expect.poll(() => isIn(after, own), { timeout: 5_000 }).toBe(true);
    return after;
  };
  const tabs = [await come(before[0], rooms[0]), await come(before[1], rooms[1])] as const;
  const strangers = [await isIn(tabs[0], rooms[1]), await isIn(tabs[1], rooms[0])];
  return { rooms, tabs, strangers };
}

describe("two tabs in two rooms, whose connections begin anew", () => {
  it("are each back in their own room, and who leaves his is in none: a user's", async () => {
    const { token } = await createUser();
    const { rooms, tabs, strangers } = await afterwards({
      headers: { authorization: `Bearer ${token}` },
    });
    expect(strangers).toEqual([false, false]);
    await tabs[0].ask("live:leave", { roomId: rooms[0] });
    const counts = [await roomStub(rooms[0]).viewerCount(), await roomStub(rooms[1]).viewerCount()];
    expect(counts).toEqual([0, 1]);
  });

  it("are nowhere where they were in no room, whatever room their user's other tab is in", async () => {
    const options = { headers: { authorization: `Bearer ${(await createUser()).token}` } };
    const roomId = unique();
    const left = unique();
    const idle = [await connectSocket(options), await inLive(left, options)];
    await inLive(roomId, options);
    await idle[1]?.ask("live:leave", { roomId: left });
    for (const socket of idle) {
      const after = await beginsAnew(socket, options);
      // His rooms are asked for before his first event is taken.
      await after.ask("live:leave", { roomId: "lain" });
      expect(await isIn(after, roomId)).toBe(false);
    }
  });

  it("are each back in their own room: a guest's, when they say again who they are", async () => {
    const userId = Math.floor(Math.random() * 1e9);
    const { strangers } = await afterwards({ name: "Ana", userId });
    expect(strangers).toEqual([false, false]);
  });
});
