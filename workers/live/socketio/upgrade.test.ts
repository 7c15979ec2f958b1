import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { newEcho, PollingClient, WireClient } from "./testing/client.ts";

describe("an upgrade", () => {
  const probe = async (stub: DurableObjectStub, sid: string) =>
    await WireClient.open(stub, `&sid=${sid}`);

  async function upgraded(stub: DurableObjectStub) {
    const polling = await PollingClient.open(stub);
    const client = await probe(stub, polling.sid);
    client.send("2probe");
    expect(await client.next()).toBe("3probe");
    client.send("5");
    return { polling, client };
  }

  it("loses nothing of what was buffered, and keeps its order", async () => {
    const stub = newEcho();
    const polling = await PollingClient.open(stub);
    await polling.post("41\x1ebAQI=");
    const client = await probe(stub, polling.sid);
    client.send("2probe");
    expect(await client.next()).toBe("3probe");
    await polling.post("42");
    client.send("5");
    client.send("43");
    expect([
      await client.next(),
      await client.next(),
      await client.next(),
      await client.next(),
    ]).toEqual(["41", [1, 2], "42", "43"]);
  });

  it("sends a waiting poll away, so that the client can switch", async () => {
    const stub = newEcho();
    const polling = await PollingClient.open(stub);
    const poll = polling.poll();
    const client = await probe(stub, polling.sid);
    client.send("2probe");
    expect(await client.next()).toBe("3probe");
    expect(await poll).toBe("6");
    expect(await polling.poll()).toBe("6");
  });

  it("survives an eviction in its middle", async () => {
    const stub = newEcho();
    const polling = await PollingClient.open(stub);
    await polling.post("4kept");
    const client = await probe(stub, polling.sid);
    client.send("2probe");
    expect(await client.next()).toBe("3probe");
    await evictDurableObject(stub);
    client.send("5");
    expect(await client.next()).toBe("4kept");
    await evictDurableObject(stub);
    client.send("4on");
    expect(await client.next()).toBe("4on");
  });

  it("leaves no polling behind", async () => {
    const stub = newEcho();
    const { polling, client } = await upgraded(stub);
    client.send("4a");
    expect(await client.next()).toBe("4a");
    expect(await (await polling.request()).json()).toEqual({ code: 3, message: "Bad request" });
    const rows = await runInDurableObject(stub, (_, state) =>
      state.storage.sql.exec("select * from socketio_polling").toArray(),
    );
    expect(rows).toEqual([]);
  });

  it("happens once: another WebSocket is closed and the session goes on", async () => {
    const stub = newEcho();
    const { polling, client } = await upgraded(stub);
    const second = await probe(stub, polling.sid);
    await second.closed;
    client.send("4on");
    expect(await client.next()).toBe("4on");
  });

  it.each(["5", "2", "4hai", "x"])(
    "given up at %s before the probe leaves the session polling",
    async (frame) => {
      const stub = newEcho();
      const polling = await PollingClient.open(stub);
      const client = await probe(stub, polling.sid);
      client.send(frame);
      await client.closed;
      await polling.post("4on");
      expect(await polling.poll()).toBe("4on");
    },
  );

  it("can be tried again after the first WebSocket went", async () => {
    const stub = newEcho();
    const polling = await PollingClient.open(stub);
    const first = await probe(stub, polling.sid);
    first.send("2probe");
    await first.next();
    first.close();
    await first.closed;
    const second = await probe(stub, polling.sid);
    second.send("2probe");
    expect(await second.next()).toBe("3probe");
  });
});
