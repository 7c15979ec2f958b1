import { describe, expect, it } from "vitest";
import { inside, newShard, PollingClient, pass, toldTo, WireClient } from "./testing/client.ts";

describe("a flood", () => {
  it("is refused beyond the burst with one error event, and what is refused is not done", async () => {
    const stub = newShard("flood");
    const { client } = await WireClient.join(stub);
    for (let n = 0; n < 8; n += 1) client.send(`42${n}["echo",${n}]`);
    // The CONNECT packet took one of the five.
    const answers = [0, 1, 2, 3].map((n) => `43${n}[${n}]`);
    for (const answer of answers) expect(await client.next()).toBe(answer);
    expect(await client.next()).toBe(
      '42["error",{"code":"rate_limited","message":"Too many messages"}]',
    );
    expect((await toldTo(stub)).filter(([handler]) => handler === "event")).toHaveLength(4);
  });

  it("that does not stop closes the connection", async () => {
    const stub = newShard("flood");
    const { client, id } = await WireClient.join(stub);
    for (let n = 0; n < 10_000; n += 1) client.send('42["join","x"]');
    expect(await client.closed).toEqual({ code: 1008, reason: "flood" });
    const told = await toldTo(stub);
    expect(told.filter(([handler]) => handler === "event")).toHaveLength(4);
    expect(told.at(-1)).toEqual(["disconnect", id, "flood", ["x"]]);
  });

  it("with attachments is refused together with them", async () => {
    const stub = newShard("flood");
    const { client } = await WireClient.join(stub);
    for (let n = 0; n < 4; n += 1) client.send('42["join","x"]');
    client.send('452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    client.send(Uint8Array.of(1));
    client.send(Uint8Array.of(2));
    expect(String(await client.next())).toContain("rate_limited");
    await pass(stub, 2_000_000);
    await client.expectNothing();
  });

  it.each(["3x", "6", "5"])(
    "of what is no message (%s) is counted like any other",
    async (frame) => {
      const stub = newShard("flood");
      const { client } = await WireClient.join(stub);
      for (let n = 0; n < 100; n += 1) client.send(frame);
      expect(String(await client.next())).toContain("rate_limited");
      expect(await client.closed).toEqual({ code: 1008, reason: "flood" });
    },
  );

  it("does not get past the limit with more attachments than a packet may have", async () => {
    const stub = newShard("flood");
    const { client } = await WireClient.join(stub);
    for (let n = 0; n < 4; n += 1) client.send('42["join","x"]');
    client.send('459999-["echo",{"_placeholder":true,"num":0}]');
    for (let n = 0; n < 11; n += 1) client.send(Uint8Array.of(n));
    expect(await client.closed).toEqual({ code: 1002, reason: "parse error" });
  });

  it("is forgiven with time", async () => {
    const stub = newShard("flood");
    const { client } = await WireClient.join(stub);
    for (let n = 0; n < 6; n += 1) client.send('42["join","x"]');
    expect(String(await client.next())).toContain("rate_limited");
    await pass(stub, 2_000_000);
    await client.expectNothing();
  });
});

describe("a slow consumer", () => {
  const text = "x".repeat(600);

  it("that polls is dropped when its buffer is full", async () => {
    const stub = newShard("narrow");
    const client = await PollingClient.join(stub);
    await inside(stub, ({ io }) => io.toAll().emit("a", [text]));
    await inside(stub, ({ io }) => io.toAll().emit("b", [text]));
    expect((await client.request()).status).toBe(400);
    expect((await toldTo(stub)).at(-1)?.slice(2)).toEqual(["slow consumer", []]);
  });

  it("with a WebSocket is asked first, and dropped when it does not answer for long", async () => {
    const stub = newShard("narrow");
    const { client } = await WireClient.join(stub);
    await inside(stub, ({ io }) => io.toAll().emit("a", [text]));
    await inside(stub, ({ io }) => io.toAll().emit("b", [text]));
    expect(String(await client.next())).toContain('42["a"');
    expect(await client.next()).toBe("2");
    expect(String(await client.next())).toContain('42["b"');
    await pass(stub, 10_100);
    await inside(stub, ({ io }) => io.toAll().emit("c", [text]));
    expect(await client.closed).toEqual({ code: 1008, reason: "slow consumer" });
  });

  it("that answers is not one, however much it is sent", async () => {
    const stub = newShard("narrow");
    const { client } = await WireClient.join(stub);
    for (let n = 0; n < 30; n += 1) {
      await inside(stub, ({ io }) => io.toAll().emit("a", [text]));
      const frame = String(await client.next());
      expect(frame).toContain('42["a"');
      // Only now and then, as pings come.
      client.send("3");
      while ((await client.next()) !== "6");
    }
    await inside(stub, ({ io }) => io.sockets()[0]?.emit("end"));
    expect(await client.next()).toBe('42["end"]');
  });
});

describe("one socket", () => {
  it("is in so many rooms and no more", async () => {
    const stub = newShard("plain");
    const { client, id } = await WireClient.join(stub);
    for (let n = 0; n < 110; n += 1) client.send(`42["join","r${n}"]`);
    await client.expectNothing();
    expect(await inside(stub, ({ io }) => io.socket(id)?.rooms.size)).toBe(100);
  });

  it("may let only so many events wait", async () => {
    const { client } = await WireClient.join(newShard("plain"));
    client.send('42["slow",1000]');
    for (let n = 0; n < 300; n += 1) client.send('42["echo",1]');
    expect((await client.closed).reason).toBe("flood");
  });
});
