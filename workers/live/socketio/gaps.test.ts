import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { RecoveryDeclined } from "./index.ts";
import {
  inside,
  isWritten,
  newShard,
  PollingClient,
  type ShardStub,
  toldTo,
  WireClient,
} from "./testing/client.ts";

/** Who cannot be given the whole of what he missed begins anew, and his client knows it: its id is another. */

const say = (stub: ShardStub, room: string, n: unknown) =>
  inside(stub, ({ io }) => io.to(room).emit("news", [n]));

const news = async (client: WireClient) => {
  const [, n, offset] = JSON.parse(String(await client.next()).slice(2));
  return { n, offset: String(offset) };
};

/** Somebody in rooms of an object, who has heard something there. */
async function inRooms(stub: ShardStub, ...rooms: string[]) {
  const joined = await WireClient.join(stub, { name: "Sari" });
  for (const room of rooms) joined.client.send(`42["join","${room}"]`);
  await joined.client.expectNothing();
  await say(stub, joined.id, 0);
  const { offset } = await news(joined.client);
  return { ...joined, auth: { name: "Sari", pid: joined.pid, offset } };
}

async function lose(client: WireClient): Promise<void> {
  client.close();
  await client.closed;
}

async function comeBack(stub: ShardStub, auth: object) {
  const client = await WireClient.open(stub);
  await client.next();
  client.send(`40${JSON.stringify(auth)}`);
  const { sid } = JSON.parse(String(await client.next()).slice(2));
  const isRecovered = await inside(stub, ({ io }) => io.socket(sid)?.recovered);
  return { client, sid: String(sid), isRecovered };
}

const told = async (stub: ShardStub, handler: string) =>
  (await toldTo(stub)).filter(([name]) => name === handler);

describe("a gap that cannot be filled", () => {
  it("makes a new socket of who was in the room, and of nobody else", async () => {
    const stub = newShard("recovering");
    const [first, second] = [await inRooms(stub, "live"), await inRooms(stub, "other")];
    await Promise.all([lose(first.client), lose(second.client)]);
    await say(stub, "live", 1);
    await inside(stub, ({ io }) => io.missed("live"));
    const back = await comeBack(stub, first.auth);
    expect([back.sid === first.id, back.isRecovered]).toEqual([false, false]);
    expect((await comeBack(stub, second.auth)).sid).toBe(second.id);
  });

  it("is none for who came after it", async () => {
    const stub = newShard("recovering");
    await inside(stub, ({ io }) => io.missed("live"));
    const { client, id, auth } = await inRooms(stub, "live");
    await lose(client);
    expect((await comeBack(stub, auth)).sid).toBe(id);
  });

  it.each([
    ["says so", () => new RecoveryDeclined()],
    ["fails", () => new Error("the object is being moved")],
  ])(
    "is known to the application, which %s: the client begins anew and the old socket is told of as gone",
    async (_, error) => {
      const stub = newShard("recovering");
      const { client, id, auth } = await inRooms(stub, "live");
      await lose(client);
      await inside(stub, (shard) => {
        shard.resumes = async () => {
          throw error();
        };
      });
      const back = await comeBack(stub, auth);
      expect([back.sid === id, back.isRecovered]).toEqual([false, false]);
      expect((await told(stub, "disconnect")).map(([, who]) => who)).toEqual([id, id]);
      await inside(stub, (shard) => {
        shard.resumes = null;
      });
      expect((await comeBack(stub, auth)).isRecovered).toBe(false);
    },
  );

  it("was left by a life that ended in the middle of writing: nobody goes on from it, who was lost or who was there", async () => {
    const stub = newShard("slow");
    const [lost, present] = [await inRooms(stub, "live"), await inRooms(stub, "live")];
    await lose(lost.client);
    await isWritten(stub);
    await say(stub, "live", 1);
    await evictDurableObject(stub, { webSockets: "close" });
    for (const { auth, id } of [lost, present]) {
      const back = await comeBack(stub, auth);
      expect([back.sid === id, back.isRecovered]).toEqual([false, false]);
    }
  });

  it("was left so to a client that polls too, though its session outlived that life", async () => {
    const stub = newShard("slow");
    const client = await PollingClient.open(stub);
    await client.post('40{"name":"Sari"}');
    const { sid: id, pid } = JSON.parse((await client.poll()).slice(2));
    await client.post('42["join","live"]');
    await say(stub, "live", 0);
    const offset = String(JSON.parse((await client.poll()).slice(2)).pop());
    await isWritten(stub);
    const lostAnswer = client.poll().catch(() => "");
    await say(stub, "live", 1);
    await evictDurableObject(stub, { webSockets: "close" });
    await lostAnswer;
    // Nothing of the life after it was cut off.
    await say(stub, "elsewhere", 2);
    await isWritten(stub);
    await evictDurableObject(stub);
    const back = await comeBack(stub, { name: "Sari", pid, offset });
    expect([back.sid === id, back.isRecovered]).toEqual([false, false]);
  });

  it("is none where all was written before the object's life ended", async () => {
    const stub = newShard("lazy");
    const { id, auth } = await inRooms(stub, "live");
    await say(stub, "live", 1);
    await isWritten(stub);
    await evictDurableObject(stub, { webSockets: "close" });
    const back = await comeBack(stub, auth);
    expect(back.sid).toBe(id);
    expect((await news(back.client)).n).toBe(1);
  });
});

describe("what the application brings for a lost socket before it goes on", () => {
  it("comes after what was missed here, in order and once, with the rooms that it joined meanwhile", async () => {
    const stub = newShard("recovering");
    const { client, id, auth } = await inRooms(stub, "live");
    await lose(client);
    await say(stub, "live", 1);
    await inside(stub, (shard) => {
      shard.resumes = async (socket) => {
        shard.io.to("new").emit("news", ["before it joined"]);
        socket.emit("news", 2);
        socket.join("new");
        shard.io.to("new").emit("news", [3]);
        await scheduler.wait(1);
        shard.io.to("live").emit("news", [4]);
      };
    });
    const back = await comeBack(stub, auth);
    expect(back.sid).toBe(id);
    const heard = [];
    while (heard.length < 4) heard.push((await news(back.client)).n);
    expect(heard).toEqual([1, 2, 3, 4]);
    await say(stub, "new", 5);
    expect((await news(back.client)).n).toBe(5);
  });

  it("is not lost, nor brought twice, when its client is gone again before: it is told of as gone, and may come back", async () => {
    const stub = newShard("recovering");
    const { client, id, auth } = await inRooms(stub, "live");
    await lose(client);
    await inside(stub, (shard) => {
      shard.resumes = async (socket) => {
        if (socket.rooms.has("new")) return;
        socket.emit("news", 1);
        socket.join("new");
        await new Promise<void>((go) => {
          shard.letGo = go;
        });
      };
    });
    const gone = await WireClient.open(stub);
    gone.send(`40${JSON.stringify(auth)}`);
    await expect.poll(() => inside(stub, ({ letGo }) => letGo !== null)).toBe(true);
    await lose(gone);
    await inside(stub, ({ letGo }) => letGo?.());
    await expect
      .poll(async () => (await told(stub, "disconnect")).at(-1))
      .toEqual(["disconnect", id, "transport close", ["live", "new"]]);
    await say(stub, "new", 2);
    const back = await comeBack(stub, auth);
    expect(back.sid).toBe(id);
    expect([(await news(back.client)).n, (await news(back.client)).n]).toEqual([1, 2]);
    await back.client.expectNothing();
  });
});

it("what was sent to a room before a socket joined it is not replayed to it", async () => {
  const stub = newShard("recovering");
  const { client, id, auth } = await inRooms(stub);
  await say(stub, "live", "before");
  client.send('42["join","live"]');
  await client.expectNothing();
  await lose(client);
  await say(stub, "live", "after");
  const back = await comeBack(stub, auth);
  expect(back.sid).toBe(id);
  expect((await news(back.client)).n).toBe("after");
});

it("somebody else's pid neither cuts its owner's connection nor gets anything of his", async () => {
  const stub = newShard("recovering");
  const { client, id, auth } = await inRooms(stub, "live");
  for (const name of ["Budi", undefined]) {
    const thief = await comeBack(stub, { ...auth, name });
    expect([thief.sid === id, thief.isRecovered]).toEqual([false, false]);
  }
  await say(stub, "live", "still here");
  expect((await news(client)).n).toBe("still here");
});
