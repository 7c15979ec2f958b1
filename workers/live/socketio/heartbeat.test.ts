import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import {
  alarmOf,
  inside,
  newShard,
  PollingClient,
  pass,
  ring,
  toldTo,
  WireClient,
} from "./testing/client.ts";

describe("the heartbeat", () => {
  it("pings all sockets and sessions of the object with one alarm", async () => {
    const stub = newShard("plain");
    const { client: first } = await WireClient.join(stub);
    const { client: second } = await WireClient.join(stub);
    const polling = await PollingClient.join(stub);
    await ring(stub, 25_100);
    expect([await first.next(), await second.next(), await polling.poll()]).toEqual([
      "2",
      "2",
      "2",
    ]);
  });

  it("finds who answers alive without reading a pong, though the object slept", async () => {
    const stub = newShard("plain");
    const { client } = await WireClient.join(stub);
    // The runtime stamps pongs with the real time: here the round is old, not the clock ahead.
    await inside(stub, (_, state) => {
      state.storage.sql.exec("update socketio_clock set ping_at = ?", Date.now() - 10);
    });
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await client.next()).toBe("2");
    client.send("3");
    expect(await client.next()).toBe("6");
    await evictDurableObject(stub);
    await inside(stub, (_, state) => {
      state.storage.sql.exec("update socketio_clock set check_at = ?", Date.now() - 10);
    });
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    await client.expectNothing();
  });

  it("closes a WebSocket that does not answer, also after an eviction", async () => {
    const stub = newShard("plain");
    const { client, id } = await WireClient.join(stub);
    await ring(stub, 25_100);
    const skipped = await inside(stub, ({ skippedMs }) => skippedMs);
    await evictDurableObject(stub);
    await ring(stub, skipped + 20_000);
    expect(await client.closed).toEqual({ code: 1000, reason: "ping timeout" });
    expect(await toldTo(stub)).toEqual([["disconnect", id, "ping timeout", []]]);
  });

  it("closes a polling session that does not answer", async () => {
    const stub = newShard("plain");
    const client = await PollingClient.join(stub);
    await ring(stub, 25_100);
    expect(await client.poll()).toBe("2");
    await ring(stub, 20_000);
    expect((await client.request()).status).toBe(400);
    expect((await toldTo(stub)).at(-1)?.slice(2)).toEqual(["ping timeout", []]);
  });

  it("refuses a late polling client before the alarm comes to it", async () => {
    const stub = newShard("plain");
    const client = await PollingClient.join(stub);
    await ring(stub, 25_100);
    await pass(stub, 20_000);
    expect((await client.request({ method: "POST", body: "3" })).status).toBe(400);
  });

  it("gives a client its whole time to answer, also where the alarm rang late", async () => {
    const stub = newShard("plain");
    const client = await PollingClient.join(stub);
    await ring(stub, 25_900);
    expect(await client.poll()).toBe("2");
    await pass(stub, 19_500);
    await client.post("3");
    await client.post('42["echo",1]');
    expect(await client.poll()).toBe('42["echoed",1]');
  });

  it("lets a polling client live that answers, round after round", async () => {
    const stub = newShard("plain");
    const client = await PollingClient.join(stub);
    for (let round = 0; round < 3; round += 1) {
      await ring(stub, 25_000 - (round === 0 ? 0 : 20_000) + 50);
      expect(await client.poll()).toBe("2");
      await client.post("3");
      await ring(stub, 20_000);
    }
    await client.post('42["echo",1]');
    expect(await client.poll()).toBe('42["echoed",1]');
  });

  it("reads pongs itself where it is told to, and sends nothing back", async () => {
    const stub = newShard("wake");
    const { client } = await WireClient.join(stub);
    await ring(stub, 25_100);
    expect(await client.next()).toBe("2");
    client.send("3");
    await client.expectNothing();
    await ring(stub, 20_000);
    await client.expectNothing();
  });
});

describe("the alarm", () => {
  it("is absent in an object without a socket, however the last one left", async () => {
    const stub = newShard("plain");
    const { client: first } = await WireClient.join(stub);
    const polling = await PollingClient.join(stub);
    expect(await alarmOf(stub)).not.toBeNull();
    first.close();
    await first.closed;
    await polling.post("1");
    await evictDurableObject(stub);
    expect(await alarmOf(stub)).toBeNull();
    const { client: second } = await WireClient.join(stub);
    await ring(stub, 25_100);
    expect(await second.next()).toBe("2");
    await ring(stub, 20_000);
    await second.closed;
    expect(await alarmOf(stub)).toBeNull();
  });

  it("closes a connection that joins no namespace in time, and only that", async () => {
    const stub = newShard("plain");
    const { client: joined } = await WireClient.join(stub);
    const idle = await WireClient.open(stub);
    await idle.next();
    const polling = await PollingClient.open(stub);
    await ring(stub, 45_100);
    expect((await idle.closed).reason).toBe("forced close");
    expect((await polling.request()).status).toBe(400);
    expect(await joined.next()).toBe("2");
    await joined.expectNothing();
  });

  it("gives up an upgrade that is not completed", async () => {
    const stub = newShard("plain");
    const polling = await PollingClient.join(stub);
    const probe = await WireClient.open(stub, `&sid=${polling.sid}`);
    await ring(stub, 10_100);
    await probe.closed;
    await polling.post('42["echo",1]');
    expect(await polling.poll()).toBe('42["echoed",1]');
  });

  it("serves the application too, once for each time it is asked, and waits for it", async () => {
    const stub = newShard("plain");
    await inside(stub, ({ io }) => io.wakeAt(Date.now() + 5_000));
    await evictDurableObject(stub);
    await ring(stub, 5_100);
    expect(await toldTo(stub)).toEqual([["wake", ""]]);
    expect(await alarmOf(stub)).toBeNull();
  });
});
