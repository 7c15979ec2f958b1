import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { inside, newShard, PollingClient, toldTo, WireClient } from "./testing/client.ts";

describe("an eviction", () => {
  it("takes neither sockets nor rooms nor data", async () => {
    const stub = newShard("plain");
    const { client: first, id } = await WireClient.join(stub, { name: "Sari" });
    const { client: second } = await WireClient.join(stub);
    for (const client of [first, second]) {
      client.send('42["join","live"]');
      await client.expectNothing();
    }
    await evictDurableObject(stub);
    second.send('42["say","live","hai"]');
    expect(await first.next()).toBe('42["said","hai"]');
    const kept = await inside(stub, ({ io }) => {
      const socket = io.socket(id);
      return { data: socket?.data, rooms: [...(socket?.rooms ?? [])], all: io.sockets().length };
    });
    expect(kept).toEqual({ data: { name: "Sari" }, rooms: ["live"], all: 2 });
  });

  it("in the middle of a polling session is not noticed", async () => {
    const stub = newShard("plain");
    const client = await PollingClient.join(stub);
    await client.post('42["join","live"]');
    await evictDurableObject(stub);
    await inside(stub, ({ io }) => io.to("live").emit("news", [1]));
    await evictDurableObject(stub);
    await client.post('42["echo",2]');
    expect(await client.poll()).toBe('42["news",1]\x1e42["echoed",2]');
  });

  it("lets the next message read its own socket only", async () => {
    const stub = newShard("plain");
    const { client } = await WireClient.join(stub);
    await WireClient.join(stub);
    await evictDurableObject(stub);
    client.send('421["echo",1]');
    expect(await client.next()).toBe("431[1]");
    expect((await toldTo(stub)).length).toBe(1);
  });

  it("makes a late acknowledgement nobody's, and harms nobody", async () => {
    const stub = newShard("plain");
    const { client } = await WireClient.join(stub);
    await inside(stub, ({ io }) => {
      io.sockets()[0]
        ?.emitWithAck("question", [], { timeoutMs: 20 })
        .catch(() => undefined);
    });
    const id = /^42([0-9]+)/.exec(String(await client.next()))?.[1];
    await evictDurableObject(stub);
    client.send(`43${id}["late"]`);
    client.send('42["ask","again"]');
    const next = /^42([0-9]+)/.exec(String(await client.next()))?.[1];
    expect(next).not.toBe(id);
    client.send(`43${next}["now"]`);
    expect(await client.next()).toBe('42["answered",["now"]]');
  });

  it("does not lose the way to answer an event later, by its id", async () => {
    const stub = newShard("plain");
    const { client, id } = await WireClient.join(stub);
    client.send('4212["nothing"]');
    await client.expectNothing();
    await evictDurableObject(stub);
    await inside(stub, ({ io }) => io.socket(id)?.acknowledge(12, "late", 1));
    expect(await client.next()).toBe('4312["late",1]');
  });

  it("is told of a socket that left while it slept", async () => {
    const stub = newShard("plain");
    const { client, id } = await WireClient.join(stub);
    client.send('42["join","live"]');
    await client.expectNothing();
    await evictDurableObject(stub);
    client.close();
    await client.closed;
    expect(await toldTo(stub)).toEqual([["disconnect", id, "transport close", ["live"]]]);
  });
});
