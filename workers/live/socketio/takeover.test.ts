import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { inside, newShard, ring, type ShardStub, toldTo, WireClient } from "./testing/client.ts";

/** An event as it came, and the offset at its end. */
function apart(frame: unknown): { args: unknown[]; offset: string } {
  const args: unknown[] = JSON.parse(String(frame).slice(2));
  return { offset: String(args.pop()), args };
}

const say = (stub: ShardStub, room: string, n: unknown) =>
  inside(stub, ({ io }) => io.to(room).emit("news", [n]));

/** Somebody in a room of an object, who has heard something there. */
async function inRoom(stub: ShardStub, name = "Sari") {
  const joined = await WireClient.join(stub, { name });
  joined.client.send('42["join","live"]');
  await say(stub, "live", 0);
  const { offset } = apart(await joined.client.next());
  return { ...joined, name, offset };
}

async function lose(client: WireClient): Promise<void> {
  client.close();
  await client.closed;
}

/** Connects to an object as one that was connected before. */
async function comeTo(stub: ShardStub, auth: object) {
  const client = await WireClient.open(stub);
  await client.next();
  client.send(`40${JSON.stringify(auth)}`);
  const { sid, pid } = JSON.parse(String(await client.next()).slice(2));
  return { client, sid: String(sid), pid: String(pid) };
}

const news = async (client: WireClient, count: number) => {
  const heard: { args: unknown[]; offset: string }[] = [];
  while (heard.length < count) heard.push(apart(await client.next()));
  return heard;
};

const two = () => [newShard("moving"), newShard("moving")] as const;

describe("a client that comes to another object", () => {
  it("goes on there: the same id and pid, its rooms and data, what it missed in order and once", async () => {
    const [old, next] = two();
    const { client, id, pid, name, offset } = await inRoom(old);
    expect(pid.split(".")[0]).toMatch(/^moving-/);
    await lose(client);
    for (const n of [1, 2]) await say(old, "live", n);
    await say(old, "elsewhere", 3);
    await say(old, id, new Uint8Array([7]));
    await say(next, "live", "not yet here");
    const back = await comeTo(next, { pid, offset, name });
    expect([back.sid, back.pid]).toEqual([id, pid]);
    expect((await news(back.client, 2)).map(({ args }) => args[1])).toEqual([1, 2]);
    expect(String(await back.client.next())).toMatch(
      /^451-\["news",\{"_placeholder":true,"num":0\},"/,
    );
    expect(await back.client.next()).toEqual([7]);
    await say(next, "live", 4);
    expect((await news(back.client, 1)).map(({ args }) => args[1])).toEqual([4]);
    const [state] = await inside(next, ({ io }) =>
      io.sockets().map(({ recovered, data, rooms }) => [recovered, data, [...rooms]]),
    );
    expect(state).toEqual([true, { name }, ["live"]]);
    expect(await inside(old, ({ io }) => [io.sockets().length, io.isAwaited("live")])).toEqual([
      0,
      false,
    ]);
  });

  it("gets again what was lost with the connection on which it was replayed", async () => {
    const [old, next] = two();
    const { client, id, pid, name, offset } = await inRoom(old);
    await lose(client);
    for (const n of [1, 2]) await say(old, "live", n);
    const back = await comeTo(next, { pid, offset, name });
    await lose(back.client);
    await say(next, "live", 3);
    const again = await comeTo(next, { pid, offset, name });
    expect(again.sid).toBe(id);
    const heard = await news(again.client, 3);
    expect(heard.map(({ args }) => args[1])).toEqual([1, 2, 3]);
    await lose(again.client);
    const last = await comeTo(next, { pid, offset: heard[1]?.offset, name });
    expect((await news(last.client, 1)).map(({ args }) => args[1])).toEqual([3]);
  });

  it("is found wherever it went since, by its first object, and back there", async () => {
    const [first, second] = two();
    const third = newShard("moving");
    const { client, id, pid, name, offset } = await inRoom(first);
    let last = { client, offset };
    for (const [n, stub] of [second, third, first, third, second].entries()) {
      await lose(last.client);
      const back = await comeTo(stub, { pid, offset: last.offset, name });
      expect([back.sid, back.pid]).toEqual([id, pid]);
      await say(stub, "live", n);
      const [heard] = await news(back.client, 1);
      expect(heard?.args).toEqual(["news", n]);
      last = { client: back.client, offset: heard?.offset ?? "" };
    }
  });

  it("is given away once, also where two ask at the same time and where one asks again", async () => {
    const [old, next] = two();
    const other = newShard("moving");
    const { client, id, pid, name, offset } = await inRoom(old);
    await lose(client);
    await say(old, "live", 1);
    const auth = { pid, offset, name };
    const both = await Promise.all([comeTo(next, auth), comeTo(other, auth)]);
    // The later one may take it from the earlier, who is then closed: never are there two.
    const alive = async () => {
      const counts = [next, other, old].map((stub) =>
        inside(stub, ({ io }) => (io.socket(id) ? 1 : 0)),
      );
      return (await Promise.all(counts)).reduce<number>((sum, n) => sum + n, 0);
    };
    expect(await alive()).toBe(1);
    expect(both.filter(({ sid }) => sid === id).length).toBeGreaterThan(0);
    const wish = { pid, offset, namespace: "/", who: name, by: "nobody", isPassedOn: false };
    const given = await Promise.all([old.handOver(wish), old.handOver(wish)]);
    expect(given.filter((one) => one !== null)).toHaveLength(1);
    expect(await alive()).toBe(0);
  });

  it("has left for good also where it was about to go on at the first object: that keeps nothing of it", async () => {
    const [old, next] = two();
    const { client, id, pid, name, offset } = await inRoom(old);
    await lose(client);
    await inside(old, (shard) => {
      shard.resumes = () => new Promise<void>((go) => (shard.letGo = go));
    });
    const half = await WireClient.open(old);
    half.send(`40${JSON.stringify({ pid, offset, name })}`);
    await expect.poll(() => inside(old, ({ letGo }) => letGo !== null)).toBe(true);
    expect((await comeTo(next, { pid, offset, name })).sid).toBe(id);
    await lose(half);
    await inside(old, ({ letGo }) => letGo?.());
    await expect
      .poll(async () => (await toldTo(old)).filter(([handler]) => handler === "disconnect").length)
      .toBe(2);
    expect(await inside(old, ({ io }) => io.isAwaited("live"))).toBe(false);
    const wish = { pid, offset, namespace: "/", who: name, by: "x", isPassedOn: true };
    expect(await old.handOver(wish)).toBeNull();
  });

  it("is cut off on the first object when that does not know yet that it left", async () => {
    const [old, next] = two();
    const { client, id, pid, name, offset } = await inRoom(old);
    const back = await comeTo(next, { pid, offset, name });
    expect(back.sid).toBe(id);
    expect((await client.closed).reason).toBe("transport close");
    await expect
      .poll(async () => (await toldTo(old)).map(([handler]) => handler))
      .toEqual(["connected", "event", "handOver", "disconnect", "moving"]);
  });

  it("is taken over from an object that was evicted, or that a crash took with all connections", async () => {
    for (const webSockets of ["hibernate", "close"] as const) {
      const [old, next] = two();
      const { client, id, pid, name, offset } = await inRoom(old);
      if (webSockets === "hibernate") await lose(client);
      await say(old, "live", 1);
      await evictDurableObject(old, { webSockets });
      const back = await comeTo(next, { pid, offset, name });
      expect(back.sid).toBe(id);
      expect((await news(back.client, 1)).map(({ args }) => args[1])).toEqual([1]);
      expect(
        await old.handOver({ pid, offset, namespace: "/", who: name, by: "x", isPassedOn: true }),
      ).toBeNull();
      await evictDurableObject(next);
      await say(next, "live", 2);
      expect((await news(back.client, 1)).map(({ args }) => args[1])).toEqual([2]);
    }
  });

  it("leaves behind what the application does not let go", async () => {
    const [old, next] = two();
    const { client, id, pid, name, offset } = await inRoom(old);
    client.send('42["join","stays"]');
    await lose(client);
    await comeTo(next, { pid, offset, name });
    expect(await inside(next, ({ io }) => [...(io.socket(id)?.rooms ?? [])])).toEqual(["live"]);
  });

  it.each([
    ["who is somebody else", { name: "Budi" }],
    ["who proves nothing", {}],
  ])("gives nothing to one %s, and keeps it for whom it is", async (_, auth) => {
    const [old, next] = two();
    const { client, id, pid, name, offset } = await inRoom(old);
    const thief = await comeTo(next, { pid, offset, ...auth });
    expect(thief.sid).not.toBe(id);
    await say(old, "live", "secret");
    expect((await news(client, 1)).map(({ args }) => args[1])).toEqual(["secret"]);
    await thief.client.expectNothing();
    await lose(client);
    expect((await comeTo(next, { pid, offset, name })).sid).toBe(id);
  });

  it("begins anew when the other object is silent, does not exist, or says that there is nothing", async () => {
    const [old, next] = two();
    const { client, id, pid, name, offset } = await inRoom(old);
    await lose(client);
    await inside(old, (shard) => {
      shard.isSilent = true;
    });
    expect((await comeTo(next, { pid, offset, name })).sid).not.toBe(id);
    for (const forged of [
      "x".repeat(22),
      `moving-none.${"x".repeat(22)}`,
      "..",
      pid.slice(0, -1),
    ]) {
      expect((await comeTo(next, { pid: forged, offset, name })).sid).not.toBe(id);
    }
  });

  it("is not known for ever to have left: the alarm forgets it after a day", async () => {
    const [old, next] = two();
    const { client, pid, name, offset } = await inRoom(old);
    await lose(client);
    await comeTo(next, { pid, offset, name });
    await WireClient.open(old);
    const moved = () =>
      inside(old, (_, { storage }) =>
        storage.sql.exec("select count(*) as n from socketio_moved").one(),
      );
    await ring(old, 1_000);
    expect(await moved()).toEqual({ n: 1 });
    await ring(old, 24 * 60 * 60 * 1_000);
    expect(await moved()).toEqual({ n: 0 });
  });

  it("asks one object, once", async () => {
    const [old, next] = two();
    const { client, pid, name, offset } = await inRoom(old);
    await lose(client);
    await comeTo(next, { pid, offset, name });
    const asked = (await toldTo(old)).filter(([handler]) => handler === "handOver");
    expect(asked).toHaveLength(1);
  });
});
