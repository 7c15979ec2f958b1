import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import {
  alarmOf,
  inside,
  isWritten,
  newShard,
  pass,
  ring,
  type ShardStub,
  toldTo,
  WireClient,
} from "./testing/client.ts";

/** An event as it came, and the offset at its end. */
function apart(frame: unknown): { args: unknown[]; offset: string } {
  const args: unknown[] = JSON.parse(String(frame).slice(2));
  return { offset: String(args.pop()), args };
}

async function inRoom(stub: ShardStub) {
  const joined = await WireClient.join(stub, { name: "Sari" });
  joined.client.send('42["join","live"]');
  await say(stub, "live", 0);
  const { offset } = apart(await joined.client.next());
  return { ...joined, offset };
}

const say = (stub: ShardStub, room: string, n: number) =>
  inside(stub, ({ io }) => io.to(room).emit("news", [n]));

async function lose(client: WireClient): Promise<void> {
  client.close();
  await client.closed;
}

async function comeBack(stub: ShardStub, auth: object) {
  const client = await WireClient.open(stub);
  await client.next();
  client.send(`40${JSON.stringify({ name: "Sari", ...auth })}`);
  const answer = String(await client.next());
  return { client, answer, ...JSON.parse(answer.slice(2)) };
}

/** A client that comes back, and about whom the application is being asked. */
async function asked(stub: ShardStub, auth: object): Promise<WireClient> {
  const client = await WireClient.open(stub);
  await client.next();
  client.send(`40${JSON.stringify({ name: "Sari", ...auth, hold: true })}`);
  await expect.poll(() => inside(stub, ({ letGo }) => letGo !== null)).toBe(true);
  return client;
}

describe("connection-state recovery", () => {
  it("lets a client go on whose old connection is not known to be dead, and still has a handler that hangs", async () => {
    const stub = newShard("recovering");
    const { client, id, pid, offset } = await inRoom(stub);
    client.send('42["hang"]');
    await expect.poll(() => inside(stub, ({ letGo }) => letGo !== null)).toBe(true);
    const back = await comeBack(stub, { pid, offset });
    expect(back.sid).toBe(id);
    await inside(stub, ({ letGo }) => letGo?.());
  });

  it("gives the same id, rooms and data, and what was missed, in order and once", async () => {
    const stub = newShard("recovering");
    const { client, id, pid, offset } = await inRoom(stub);
    await lose(client);
    await say(stub, "live", 1);
    await say(stub, "elsewhere", 2);
    await inside(stub, ({ io }) => io.to("live").emit("count", [3], { volatile: true }));
    await inside(stub, ({ io }) => io.to("live").emit("not-you", [], { except: [id] }));
    await say(stub, id, 4);
    const back = await comeBack(stub, { pid, offset });
    expect([back.sid, back.pid]).toEqual([id, pid]);
    expect(apart(await back.client.next()).args).toEqual(["news", 1]);
    expect(apart(await back.client.next()).args).toEqual(["news", 4]);
    await say(stub, "live", 5);
    expect(apart(await back.client.next()).args).toEqual(["news", 5]);
    const state = await inside(stub, ({ io }) => {
      const socket = io.socket(id);
      return [socket?.recovered, socket?.data, [...(socket?.rooms ?? [])]];
    });
    expect(state).toEqual([true, { name: "Sari" }, ["live"]]);
    expect((await toldTo(stub)).map(([handler]) => handler)).toEqual([
      "connected",
      "event",
      "disconnect",
      "connected",
    ]);
  });

  it("works across an eviction, also where packets are written a little later", async () => {
    for (const kind of ["recovering", "lazy"]) {
      const stub = newShard(kind);
      const { client, pid, offset } = await inRoom(stub);
      await lose(client);
      await say(stub, "live", 1);
      await isWritten(stub);
      await evictDurableObject(stub);
      const back = await comeBack(stub, { pid, offset });
      expect(apart(await back.client.next()).args).toEqual(["news", 1]);
    }
  });

  it("needs no offset of a client that got nothing yet", async () => {
    const stub = newShard("recovering");
    const { client, id, pid } = await WireClient.join(stub, { name: "Sari" });
    await lose(client);
    await say(stub, id, 1);
    const back = await comeBack(stub, { pid });
    expect(back.sid).toBe(id);
    expect(apart(await back.client.next()).args).toEqual(["news", 1]);
  });

  it("takes a client back whose old connection is not known to be dead", async () => {
    const stub = newShard("recovering");
    const { client, id, pid, offset } = await inRoom(stub);
    const back = await comeBack(stub, { pid, offset });
    expect(back.sid).toBe(id);
    expect((await client.closed).reason).toBe("transport close");
    const sockets = await inside(stub, ({ io }) => io.socketsIn("live").length);
    expect(sockets).toBe(1);
  });

  it("misses nothing that is sent while the application is asked whether he may come in", async () => {
    const stub = newShard("recovering");
    const { client, id, pid, offset } = await inRoom(stub);
    await lose(client);
    await say(stub, "live", 1);
    const back = await asked(stub, { pid, offset });
    await say(stub, "live", 2);
    await inside(stub, ({ letGo }) => letGo?.());
    expect(JSON.parse(String(await back.next()).slice(2)).sid).toBe(id);
    expect(apart(await back.next()).args).toEqual(["news", 1]);
    expect(apart(await back.next()).args).toEqual(["news", 2]);
  });

  it("is for one: who is asked for while another connection comes back as the same socket begins anew", async () => {
    const stub = newShard("recovering");
    const { client, id, pid, offset } = await inRoom(stub);
    await lose(client);
    const late = await asked(stub, { pid, offset });
    expect((await comeBack(stub, { pid, offset })).sid).toBe(id);
    await inside(stub, ({ letGo }) => letGo?.());
    expect(JSON.parse(String(await late.next()).slice(2)).sid).not.toBe(id);
    expect(await inside(stub, ({ io }) => io.socketsIn("live").length)).toBe(1);
  });

  it.each([
    ["an unknown pid", { pid: "x".repeat(22) }],
    ["a pid that is no text", { pid: { $ne: 1 } }],
    ["a prototype's name", { pid: "__proto__", offset: "0" }],
  ])("gives %s a new session", async (_, auth) => {
    const stub = newShard("recovering");
    const back = await comeBack(stub, auth);
    expect(back.sid).toMatch(/^[\w-]{22}$/);
    expect(await inside(stub, ({ io }) => io.socket(back.sid)?.recovered)).toBe(false);
  });

  it("gives a new session where the offset is nonsense", async () => {
    const stub = newShard("recovering");
    const { client, id, pid } = await inRoom(stub);
    await lose(client);
    expect((await comeBack(stub, { pid, offset: "no number!" })).sid).not.toBe(id);
  });

  it("gives a new session to who missed more than is kept", async () => {
    const stub = newShard("recovering");
    const { client, id, pid, offset } = await inRoom(stub);
    await lose(client);
    const kept = () =>
      inside(stub, (_, { storage }) =>
        storage.sql.exec("select sum(count) as n from socketio_log").one(),
      );
    for (let n = 0; n < 24; n += 1) await say(stub, "live", n);
    expect(await kept()).toEqual({ n: 25 });
    await say(stub, "live", 24);
    expect(await kept()).toEqual({ n: 20 });
    expect((await comeBack(stub, { pid, offset })).sid).not.toBe(id);
  });

  it.each(['"', "世"])("keeps no row that is larger than storage takes, of %s", async (sign) => {
    const stub = newShard("lazy");
    await WireClient.join(stub);
    await inside(stub, ({ io }) => {
      for (const count of [880_000, 120_000, 440_000]) io.toAll().emit("a", [sign.repeat(count)]);
    });
    await isWritten(stub);
    const rows = await inside(stub, (_, { storage }) =>
      storage.sql.exec("select length(cast(packets as blob)) as n from socketio_log").toArray(),
    );
    expect(rows).not.toEqual([]);
    for (const { n } of rows) expect(n).toBeLessThan(2_000_000);
  });

  it("keeps the last packets of a rush that is more than is kept", async () => {
    const stub = newShard("lazy");
    const { client, id, pid } = await inRoom(stub);
    await inside(stub, ({ io }) => {
      for (let n = 1; n <= 25; n += 1) io.to("live").emit("news", [n]);
    });
    const got: string[] = [];
    while (got.length < 10) got.push(apart(await client.next()).offset);
    await lose(client);
    await inside(stub, () => scheduler.wait(20));
    const back = await comeBack(stub, { pid, offset: got[9] });
    expect(back.sid).toBe(id);
    expect(apart(await back.client.next()).args).toEqual(["news", 11]);
  });

  it("has no row for who came and left for good before it was written", async () => {
    const stub = newShard("lazy");
    const { client, id, pid } = await WireClient.join(stub);
    client.send("41");
    await lose(client);
    const rows = await inside(stub, async (_, { storage }) => {
      await scheduler.wait(20);
      return storage.sql.exec("select * from socketio_sockets").toArray();
    });
    expect(rows).toEqual([]);
    expect((await comeBack(stub, { pid })).sid).not.toBe(id);
  });

  it("leaves the rooms that he asked for before he went, and not those that he left", async () => {
    const stub = newShard("recovering");
    const { client, id } = await inRoom(stub);
    for (const asked of ['["slow",50]', '["join","late"]', '["leave","live"]'])
      client.send(`42${asked}`);
    client.send("41");
    await expect
      .poll(async () => (await toldTo(stub)).at(-1))
      .toEqual(["disconnect", id, "client namespace disconnect", ["late"]]);
  });

  it("asks the application again: who is refused now does not come back in", async () => {
    const stub = newShard("recovering");
    const { client, pid, offset } = await inRoom(stub);
    await lose(client);
    const back = await comeBack(stub, { pid, offset, refuse: "ban" });
    expect(back.answer).toBe('44{"message":"Not you","data":{"why":"ban"}}');
  });

  it("sets no alarm in an object without a socket; after its time it ends with the next who comes, and leaves nothing", async () => {
    const stub = newShard("recovering");
    const { client, id, pid, offset } = await inRoom(stub);
    await lose(client);
    await expect.poll(() => alarmOf(stub)).toBeNull();
    await pass(stub, 120_100);
    const next = await WireClient.open(stub);
    await ring(stub, 0);
    expect((await toldTo(stub)).at(-1)).toEqual(["expired", id, ["live"]]);
    await lose(next);
    await expect.poll(() => alarmOf(stub)).toBeNull();
    const left = await inside(stub, (_, state) =>
      state.storage.sql
        .exec(
          "select (select count(*) from socketio_sockets) + (select count(*) from socketio_log) as n",
        )
        .one(),
    );
    expect(left).toEqual({ n: 0 });
    expect((await comeBack(stub, { pid, offset })).sid).not.toBe(id);
  });

  it("is refused after its time though the alarm has not come", async () => {
    const stub = newShard("recovering");
    const { client, id, pid, offset } = await inRoom(stub);
    await lose(client);
    await pass(stub, 120_100);
    expect((await comeBack(stub, { pid, offset })).sid).not.toBe(id);
  });

  it("is not for who left by himself or was sent away", async () => {
    const stub = newShard("recovering");
    for (const goodbye of ["41", '42["leave-me",true]', "4abc"]) {
      const { client, id, pid, offset } = await inRoom(stub);
      client.send(goodbye);
      if (goodbye !== "41") await client.expectGoodbye();
      await lose(client);
      expect((await comeBack(stub, { pid, offset })).sid).not.toBe(id);
    }
  });

  it("reaches over a crash that took all connections, and tells of who stays away", async () => {
    const stub = newShard("recovering");
    const { client, id, pid, offset } = await inRoom(stub);
    const { client: other, id: otherId } = await WireClient.join(stub);
    await evictDurableObject(stub, { webSockets: "close" });
    await Promise.all([client.closed, other.closed]);
    const back = await comeBack(stub, { pid, offset });
    expect(back.sid).toBe(id);
    await ring(stub, 25_100);
    const told = await toldTo(stub);
    const gone = told.filter(([handler]) => handler === "disconnect").map(([, who]) => who);
    expect(gone.toSorted()).toEqual([id, otherId].toSorted());
  });
});
