import { describe, expect, it } from "vitest";
import { lightOf, type PreparedEvent, prepareEvent } from "./index.ts";
import { inside, newShard, PollingClient, type ShardStub, WireClient } from "./testing/client.ts";

const WHOLE = "x".repeat(600);
const EVENT: PreparedEvent = {
  ...{ body: `["gift","${WHOLE}"]`, light: '["gift"]', attachments: [] },
};
const IS_WHOLE = `42["gift","${WHOLE}"`;
const IS_LIGHT = '42["gift"';

const send = (stub: ShardStub) => inside(stub, ({ io }) => void io.toAll().send(EVENT));

/** The next frame that is no ping. */
async function next(client: WireClient): Promise<string> {
  for (;;) {
    const frame = String(await client.next());
    if (frame !== "2" && frame !== "6") return frame;
  }
}

describe("an event with a light form", () => {
  it("goes whole to who is there, on either transport", async () => {
    const stub = newShard("plain");
    const { client } = await WireClient.join(stub);
    const poller = await PollingClient.join(stub);
    await send(stub);
    expect(await next(client)).toBe(`42${EVENT.body}`);
    expect(await poller.poll()).toContain(`42${EVENT.body}`);
  });

  it("is light for who comes back", async () => {
    const stub = newShard("recovering");
    const { client, pid } = await WireClient.join(stub, { name: "Sari" });
    await inside(stub, ({ io }) => io.toAll().emit("first", []));
    const offset = JSON.parse((await next(client)).slice(2)).at(-1);
    client.close();
    await expect.poll(() => inside(stub, ({ io }) => io.isEmpty)).toBe(true);
    await send(stub);
    const back = await WireClient.join(stub, { name: "Sari", pid, offset });
    const frame = await next(back.client);
    expect(frame.startsWith(`${IS_LIGHT},`)).toBe(true);
    expect(frame).not.toContain(WHOLE);
  });

  it("is light for who has not taken what was sent before, and whole again once he has", async () => {
    const stub = newShard("wide");
    const { client } = await WireClient.join(stub);
    await send(stub);
    await send(stub);
    expect(await client.next()).toBe(`42${EVENT.body}`);
    // It was asked before the second.
    expect(await client.next()).toBe("2");
    expect(await client.next()).toBe(`42${EVENT.light}`);
    client.send("3");
    expect(await client.next()).toBe("6");
    await send(stub);
    expect(await client.next()).toBe(`42${EVENT.body}`);
  });

  it("is light for who polls and has fetched nothing for long", async () => {
    const stub = newShard("wide");
    const poller = await PollingClient.join(stub);
    await send(stub);
    await send(stub);
    expect(await poller.poll()).toBe(`42${EVENT.body}\x1e42${EVENT.light}`);
    await send(stub);
    expect(await poller.poll()).toBe(`42${EVENT.body}`);
  });

  it("goes whole no more often than the object can hold, and light to the others", async () => {
    const stub = newShard("heavy");
    const clients = await Promise.all([1, 2, 3].map(() => WireClient.join(stub)));
    await send(stub);
    const frames = await Promise.all(clients.map(({ client }) => next(client)));
    expect(frames.filter((frame) => frame.startsWith(IS_WHOLE))).toHaveLength(2);
    expect(frames.filter((frame) => frame === `42${EVENT.light}`)).toHaveLength(1);
  });

  it("is kept in its light form alone", () => {
    expect(lightOf(EVENT)).toEqual({ body: EVENT.light, attachments: [] });
    const other = { body: '["a"]', attachments: [] };
    expect(lightOf(other)).toBe(other);
  });
});

describe("events sent together, one of them with a light form", () => {
  const parts = [
    { event: prepareEvent("chat", ["hai"]), except: null, isVolatile: false },
    { event: EVENT, except: null, isVolatile: false },
  ];

  it("go whole to who can take them, light to all others", async () => {
    const stub = newShard("heavy");
    const clients = await Promise.all([1, 2, 3].map(() => WireClient.join(stub)));
    await inside(stub, ({ io }) => {
      for (const socket of io.sockets()) socket.join("live");
      io.to("live").sendTogether("batch", parts);
    });
    const frames = await Promise.all(clients.map(({ client }) => next(client)));
    const batch = (gift: string) => `42["batch",[["chat","hai"],${gift}]]`;
    expect(frames.sort()).toEqual([
      ...[batch(EVENT.body), batch(EVENT.body), batch('["gift"]')].sort(),
    ]);
  });

  it("are kept light", async () => {
    const stub = newShard("recovering");
    const { client } = await WireClient.join(stub, { name: "Sari" });
    client.send('42["join","live"]');
    await client.expectNothing();
    await inside(stub, ({ io }) => void io.to("live").sendTogether("batch", parts));
    expect(await next(client)).toContain(WHOLE);
    const kept = await inside(stub, (_, { storage }) =>
      storage.sql.exec<{ packets: string }>("select packets from socketio_log").toArray(),
    );
    const text = kept.map(({ packets }) => packets).join();
    expect(text).toContain('[\\"gift\\"]');
    expect(text).not.toContain(WHOLE);
  });
});
