import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { createUser, unique } from "../../testing/factories.ts";
import { prepareEvent } from "../socketio/index.ts";
import { alter, roomStub, shardStub } from "../testing/rounds.ts";
import { connectSocket, inLive, type SocketClient } from "../testing/socket-client.ts";
import { guest, say } from "../testing/stage.ts";

/**
 * Who cannot be given all that was said while he was away gets a new id, so that his app knows; he is in his rooms again
 * all the same. On the shard where he was, and on another.
 */

const speaker = guest("Pembicara");
const tell = (roomId: string, text: string) =>
  roomStub(roomId).apply("s9", [say("speaker", speaker, text)]);

const hears = async (socket: SocketClient) => (await socket.hears("live:new-message")).message;

interface Scene {
  roomId: string;
  shard: string;
  before: SocketClient;
}

/** A user in a room who has heard something there. */
async function inRoom(shard = "s3") {
  const roomId = unique();
  const other = "s5";
  const token = (await createUser()).token;
  const before = await inLive(roomId, { shard, auth: { token } });
  await tell(roomId, "satu");
  expect(await hears(before)).toBe("satu");
  return { roomId, shard, other, token, before };
}

const statusOf = (shard: string) =>
  runInDurableObject(shardStub(shard), async (_, { storage }) => ({
    unwritten: storage.sql.exec("select is_unwritten as n from socketio_clock").one().n,
    lost: storage.sql.exec("select count(*) as n from socketio_sockets where lost_at > 0").one().n,
    alarm: await storage.getAlarm(),
  }));

/** Until the shard has written down all that it knows, and that its socket is lost. */
const isWritten = async (shard: string) =>
  await expect
    .poll(async () => {
      const { unwritten, lost } = await statusOf(shard);
      return { unwritten, lost };
    })
    .toEqual({ unwritten: 0, lost: expect.any(Number) });

/** What takes a part of the gap. */
const losses: [string, (scene: Scene) => Promise<void>][] = [
  [
    "his room was evicted in the middle of it",
    async ({ roomId, before }) => {
      before.cut();
      await tell(roomId, "dua");
      await evictDurableObject(roomStub(roomId));
    },
  ],
  [
    "his room has forgotten a part of it",
    async ({ roomId, before }) => {
      before.cut();
      await evictDurableObject(roomStub(roomId));
      const last = (Date.now() + 1) * 1_000;
      await runInDurableObject(roomStub(roomId), (_, { storage }) =>
        storage.sql.exec("update said set is_speaking = 0, last = ?", last),
      );
    },
  ],
  [
    "his shard was cut off in the middle of it",
    async ({ roomId, shard, before }) => {
      before.cut();
      await tell(roomId, "dua");
      await evictDurableObject(shardStub(shard), { webSockets: "close" });
    },
  ],
  [
    "his shard was not reached with a part of it",
    async ({ roomId, shard, before }) => {
      before.cut();
      const [after, mark] = [(Date.now() + 1) * 1_000, (Date.now() + 2) * 1_000];
      const event = prepareEvent("live:new-message", [{ message: "tiga" }]);
      const frame = { event, except: null, isVolatile: false, after, mark };
      await shardStub(shard).deliver(`live:${roomId}`, [{ kind: "frame", frame }]);
    },
  ],
];

describe.each(losses)("when %s", (_, happens) => {
  it.each(["the same shard", "another shard"])(
    "who comes back on %s is not recovered, and is in his room",
    async (where) => {
      const { roomId, shard, other, token, before } = await inRoom();
      await happens({ roomId, shard, before });
      const auth = { token, pid: before.pid, offset: before.offset };
      const to = where === "the same shard" ? shard : other;
      const after = await connectSocket({ shard: to, auth });
      expect(after.id).not.toBe(before.id);
      await after.ask("live:leave", { roomId: "lain" });
      await expect.poll(() => roomStub(roomId).viewerCount()).toBe(2);
      await tell(roomId, "akhirnya");
      expect(await hears(after)).toBe("akhirnya");
    },
  );
});

/** As the app's host screen: it claims no id, and says nothing but this again. */
const NOBODY = { userId: null, username: "Loading..." };

describe("who cannot say again who he was", () => {
  it.each(["the same shard", "another shard"])(
    "a guest without an id who comes back on %s is not recovered, and is in his room",
    async (where) => {
      const [roomId, shard] = [unique(), "s3"];
      const before = await inLive(roomId, { shard, name: NOBODY.username });
      await tell(roomId, "satu");
      expect(await hears(before)).toBe("satu");
      await losses.at(-1)?.[1]({ roomId, shard, before });
      const auth = { pid: before.pid, offset: before.offset };
      const to = where === "the same shard" ? shard : "s5";
      const after = await connectSocket({ shard: to, auth });
      expect(after.id).not.toBe(before.id);
      after.emit("user:join", NOBODY);
      await after.ask("live:leave", { roomId: "lain" });
      await expect.poll(() => roomStub(roomId).viewerCount()).toBe(2);
      await tell(roomId, "akhirnya");
      expect(await hears(after)).toBe("akhirnya");
    },
  );
});

describe("a gap that is whole", () => {
  it("is given also where room and shards slept meanwhile, having written all down", async () => {
    const { roomId, shard, other, token, before } = await inRoom();
    before.cut();
    await isWritten(shard);
    await alter(roomStub(roomId), "update said set is_speaking = 0");
    await evictDurableObject(shardStub(shard));
    const auth = { token, pid: before.pid, offset: before.offset };
    const after = await connectSocket({ shard: other, auth });
    expect(after.id).toBe(before.id);
    await tell(roomId, "dua");
    expect(await hears(after)).toBe("dua");
  });
});

describe("a shard", () => {
  it("whose last socket has left has no alarm, though that may come back", async () => {
    const { shard, token, before } = await inRoom(unique("s"));
    const { alarm } = await statusOf(shard);
    expect(alarm).not.toBeNull();
    before.cut();
    await expect.poll(async () => (await statusOf(shard)).alarm).toBeNull();
    await isWritten(shard);
    expect((await statusOf(shard)).alarm).toBeNull();
    const auth = { token, pid: before.pid, offset: before.offset };
    const after = await connectSocket({ shard, auth });
    expect(after.id).toBe(before.id);
    expect((await statusOf(shard)).alarm).not.toBeNull();
  });
});
