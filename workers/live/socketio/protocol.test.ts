import { describe, expect, it, vi } from "vitest";
import { prepareEvent } from "./packets.ts";
import { inside, newShard, PollingClient, toldTo, WireClient } from "./testing/client.ts";

/** The tables of packets that close a connection. */
const MALFORMED = [
  ["an unknown packet type", "4abc"],
  ["an event that is no array", "42{}"],
  ["an event without a name", "42[]"],
  ["a reserved event name", '42["disconnect"]'],
  ["broken JSON", '42["x"'],
  ["an acknowledgement id that is no number", '42abc["x"]'],
  ["an acknowledgement id past all numbers", `42${"9".repeat(30)}["x"]`],
  ["a refusal, which only a server may send", '44{"message":"no"}'],
  ["an event of a namespace that it is not in", '42/custom,["x"]'],
  ["a second CONNECT", "40"],
  ["too many attachments", '4511-["x"]'],
];

describe("a namespace", () => {
  it("is joined with a packet that names the socket, and the handshake's payload is kept", async () => {
    const stub = newShard("plain");
    const { client, id } = await WireClient.join(stub, { name: "Sari" });
    await client.expectNothing();
    const data = await inside(stub, ({ io }) => io.socket(id)?.data);
    expect(data).toEqual({ name: "Sari" });
  });

  it("that does not exist is refused, and the connection goes on", async () => {
    const client = await WireClient.open(newShard("plain"));
    await client.next();
    client.send("40/nowhere,{}");
    expect(await client.next()).toBe('44/nowhere,{"message":"Invalid namespace"}');
    client.send("40");
    expect(String(await client.next())).toMatch(/^40\{"sid":"[\w-]{22}"\}$/);
  });

  it("may refuse with a message and data of the application", async () => {
    const client = await WireClient.open(newShard("plain"));
    await client.next();
    client.send('40{"refuse":"ban"}');
    expect(await client.next()).toBe('44{"message":"Not you","data":{"why":"ban"}}');
  });

  it("may send a client away for a moment: closed without a refusal, after which it would not come back", async () => {
    const client = await WireClient.open(newShard("plain"));
    await client.next();
    client.send('40{"later":"once"}');
    expect(await client.closed).toMatchObject({ code: 1000 });
  });

  it("says nothing of an error that was not meant for the client", async () => {
    const stub = newShard("plain");
    const client = await WireClient.open(stub);
    await client.next();
    client.send('40{"fail":true}');
    expect(await client.next()).toBe('44{"message":"Internal error"}');
    expect(await inside(stub, ({ errors }) => errors)).toEqual([
      "connect: Error: a secret of the database",
    ]);
  });

  it("is left without leaving the others", async () => {
    const stub = newShard("plain");
    const { client, id } = await WireClient.join(stub);
    client.send("40/custom,");
    expect(String(await client.next())).toContain("40/custom,");
    client.send("41");
    client.send('42/custom,["echo",1]');
    expect(await client.next()).toBe('42/custom,["echoed",1]');
    expect((await toldTo(stub)).filter(([handler]) => handler === "disconnect")).toEqual([
      ["disconnect", id, "client namespace disconnect", []],
    ]);
  });

  it("has rooms of its own", async () => {
    const stub = newShard("plain");
    const { client: main } = await WireClient.join(stub);
    const { client: custom } = await WireClient.join(stub, {}, "/custom");
    main.send('42["join","r"]');
    custom.send('42/custom,["join","r"]');
    await main.expectNothing();
    await inside(stub, ({ io }) => io.to("r", "/custom").emit("news", [1]));
    expect(await custom.next()).toBe('42/custom,["news",1]');
    await main.expectNothing();
  });

  it("sends the client away when the application says so, with or without its connection", async () => {
    const stub = newShard("plain");
    const { client } = await WireClient.join(stub);
    client.send('42["leave-me",false]');
    expect(await client.next()).toBe("41");
    client.send("40");
    expect(String(await client.next())).toMatch(/^40/);
    client.send('42["leave-me",true]');
    expect(await client.next()).toBe("41");
    expect((await client.closed).reason).toBe("forced close");
  });
});

describe("an event", () => {
  it("is acknowledged with its id and any arguments, once", async () => {
    const { client } = await WireClient.join(newShard("plain"));
    client.send('4277["echo",1,"2",{"3":[true]}]');
    expect(await client.next()).toBe('4377[1,"2",{"3":[true]}]');
    await client.expectNothing();
  });

  it("carries binary anywhere, there and back", async () => {
    const { client } = await WireClient.join(newShard("plain"));
    const hole = (num: number) => ({ _placeholder: true, num });
    client.send(`452-${JSON.stringify(["echo", { deep: [{ a: hole(0) }], b: hole(1) }])}`);
    client.send(Uint8Array.of(1, 2));
    client.send(Uint8Array.of(3));
    expect([await client.next(), await client.next(), await client.next()]).toEqual([
      `452-${JSON.stringify(["echoed", { deep: [{ a: hole(0) }], b: hole(1) }])}`,
      [1, 2],
      [3],
    ]);
  });

  it("carries binary in acknowledgements, and over polling", async () => {
    const client = await PollingClient.join(newShard("plain"));
    await client.post('451-9["echo",{"_placeholder":true,"num":0}]\x1ebAQID');
    expect(await client.poll()).toBe('461-9[{"_placeholder":true,"num":0}]\x1ebAQID');
  });

  it("asks the client and takes its acknowledgement, binary too", async () => {
    const { client } = await WireClient.join(newShard("plain"));
    client.send('42["ask","age"]');
    const question = String(await client.next());
    const id = /^42([0-9]+)\["question","age"\]$/.exec(question)?.[1];
    client.send(`431[0]`);
    client.send(`461-${id}[{"_placeholder":true,"num":0}]`);
    client.send(Uint8Array.of(7));
    expect(await client.next()).toBe('451-["answered",[{"_placeholder":true,"num":0}]]');
    expect(await client.next()).toEqual([7]);
    await client.expectNothing();
  });

  it("waits for the one before it, and what came before a goodbye is still done", async () => {
    const stub = newShard("plain");
    const { client, id } = await WireClient.join(stub);
    client.send('42["slow",20]');
    client.send('42["echo",1]');
    client.send("41");
    client.send("40");
    expect(String(await client.next())).toMatch(/^40/);
    const mine = async () => (await toldTo(stub)).filter(([, who]) => who === id);
    await vi.waitFor(async () => expect(await mine()).toHaveLength(4));
    expect((await mine()).map(([handler, , what]) => [handler, what])).toEqual([
      ["connected", false],
      ["event", "slow"],
      ["event", "echo"],
      ["disconnect", "client namespace disconnect"],
    ]);
  });

  it("that breaks its handler breaks nothing else", async () => {
    const stub = newShard("plain");
    const { client } = await WireClient.join(stub);
    client.send('42["throw"]');
    client.send('42["fat"]');
    await client.expectNothing();
    const { errors, data } = await inside(stub, ({ errors, io }) => ({
      errors: [...errors],
      data: io.sockets()[0]?.data,
    }));
    expect(errors).toEqual([
      "event: Error: thrown by the handler",
      expect.stringContaining("event: RangeError: a connection keeps"),
    ]);
    expect(data).toEqual({ name: "nobody" });
  });

  it("with names of the prototype is data like any other", async () => {
    const stub = newShard("plain");
    const { client } = await WireClient.join(stub);
    client.send('42["__proto__",{"__proto__":{"isAdmin":true},"constructor":{"prototype":1}}]');
    client.send('421["echo",{"__proto__":{"isAdmin":true}}]');
    expect(await client.next()).toBe('431[{"__proto__":{"isAdmin":true}}]');
    expect(Reflect.get({}, "isAdmin")).toBeUndefined();
  });

  it.each(MALFORMED)("is not taken as %s: the connection is closed", async (_, frame) => {
    const stub = newShard("plain");
    const { client, id } = await WireClient.join(stub);
    client.send(frame);
    expect(await client.closed).toEqual({ code: 1002, reason: "parse error" });
    expect((await toldTo(stub)).at(-1)).toEqual(["disconnect", id, "parse error", []]);
  });

  it.each(["an empty message", "an event"])(
    "%s joins no namespace: who sends it first is closed",
    async (what) => {
      const client = await WireClient.open(newShard("plain"));
      await client.next();
      client.send(what === "an event" ? '42["echo",1]' : "4");
      expect(await client.closed).toEqual({ code: 1002, reason: "parse error" });
    },
  );

  it("does not hold binary that nobody announced, nor text among attachments", async () => {
    const stub = newShard("plain");
    const { client: first } = await WireClient.join(stub);
    first.send(Uint8Array.of(1));
    expect((await first.closed).reason).toBe("parse error");
    const { client: second } = await WireClient.join(stub);
    second.send('451-["echo",{"_placeholder":true,"num":0}]');
    second.send('42["echo",1]');
    expect((await second.closed).reason).toBe("parse error");
  });
});

describe("a broadcast", () => {
  it("reaches a room but not the sender, nor who left", async () => {
    const stub = newShard("plain");
    const clients = await Promise.all([1, 2, 3].map(() => WireClient.join(stub)));
    for (const { client } of clients) {
      client.send('42["join","live"]');
      await client.expectNothing();
    }
    const [sender, listener, leaver] = clients.map(({ client }) => client);
    leaver?.send('42["leave","live"]');
    await leaver?.expectNothing();
    sender?.send('42["say","live",{"text":"hai"}]');
    expect(await listener?.next()).toBe('42["said",{"text":"hai"}]');
    await sender?.expectNothing();
    await leaver?.expectNothing();
  });

  it("counts whom it reaches, on both transports, by room, by id or all", async () => {
    const stub = newShard("plain");
    const { client, id } = await WireClient.join(stub);
    const polling = await PollingClient.join(stub);
    client.send('42["join","r"]');
    await client.expectNothing();
    const counts = await inside(stub, ({ io }) => [
      io.to("r").emit("a", []),
      io.to(id).emit("b", []),
      io.toAll().emit("c", []),
      io.to("nobody").emit("d", []),
      io.toAll().emit("e", [], { except: [id] }),
    ]);
    expect(counts).toEqual([1, 1, 2, 0, 1]);
    expect([await client.next(), await client.next(), await client.next()]).toEqual([
      '42["a"]',
      '42["b"]',
      '42["c"]',
    ]);
    expect(await polling.poll()).toBe('42["c"]\x1e42["e"]');
  });

  it("can be encoded elsewhere, binary too", async () => {
    const stub = newShard("plain");
    const { client } = await WireClient.join(stub);
    const text = prepareEvent("news", [{ n: 1 }]);
    const binary = prepareEvent("image", [{ bytes: Uint8Array.of(9) }]);
    expect(text).toEqual({ body: '["news",{"n":1}]', attachments: [] });
    await inside(stub, ({ io }) => {
      io.toAll().send(text);
      io.toAll().send(binary);
    });
    expect([await client.next(), await client.next(), await client.next()]).toEqual([
      '42["news",{"n":1}]',
      '451-["image",{"bytes":{"_placeholder":true,"num":0}}]',
      [9],
    ]);
  });
});
