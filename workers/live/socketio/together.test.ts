import { describe, expect, it } from "vitest";
import { prepareEvent } from "./index.ts";
import { inside, newShard, type ShardStub, WireClient } from "./testing/client.ts";

/** Events that go out as one packet. */

interface Word {
  text: string;
  except?: string;
  isVolatile?: boolean;
}

const say = (stub: ShardStub, words: Word[]) =>
  inside(stub, ({ io }) => {
    const parts = words.map(({ text, except = null, isVolatile = false }) => {
      return { event: prepareEvent("chat", [text]), except, isVolatile };
    });
    return io.to("live").sendTogether("batch", parts);
  });

async function inRoom(stub: ShardStub, count: number) {
  const all = await Promise.all(
    Array.from({ length: count }, () => WireClient.join(stub, { name: "Sari" })),
  );
  for (const { client } of all) {
    client.send('42["join","live"]');
    await client.expectNothing();
  }
  return all;
}

/** The words of the next packet, and the offset at its end; undefined where there is none. */
async function nextOf(client: WireClient): Promise<{ words: string[]; offset?: string }> {
  const [name, list, offset]: [string, [string, string][], string?] = JSON.parse(
    String(await client.next()).slice(2),
  );
  expect(name).toBe("batch");
  for (const [event] of list) expect(event).toBe("chat");
  return { words: list.map(([, text]) => text), ...(offset !== undefined && { offset }) };
}

async function comeBack(stub: ShardStub, auth: object): Promise<WireClient> {
  const client = await WireClient.open(stub);
  await client.next();
  client.send(`40${JSON.stringify({ name: "Sari", ...auth })}`);
  await client.next();
  return client;
}

const keptBy = (stub: ShardStub) =>
  inside(stub, (_, { storage }) => {
    const rows = storage.sql.exec<{ packets: string }>("select packets from socketio_log");
    return rows.toArray().flatMap(({ packets }) => JSON.parse(packets));
  });

describe("events sent together", () => {
  it("reach each socket as one packet, in their order, without those that it does not get", async () => {
    const stub = newShard("plain");
    const [ana, budi, cici] = await inRoom(stub, 3);
    const words = [
      { text: "satu", except: ana?.id },
      { text: 'dua "],[', except: budi?.id },
      { text: "tiga", except: budi?.id },
      { text: "🌶 empat" },
      { text: "lima", except: ana?.id },
    ];
    expect(await say(stub, words as Word[])).toBe(3);
    const heard = [ana, budi, cici].map(async (who) => (await nextOf(who?.client as never)).words);
    expect(await Promise.all(heard)).toEqual([
      ['dua "],[', "tiga", "🌶 empat"],
      ["satu", "🌶 empat", "lima"],
      ["satu", 'dua "],[', "tiga", "🌶 empat", "lima"],
    ]);
  });

  it("are no packet for whom none of them is", async () => {
    const stub = newShard("recovering");
    const [ana, budi] = await inRoom(stub, 2);
    if (!ana || !budi) throw new Error("two came");
    const own = [
      { text: "satu", except: ana.id },
      { text: "dua", except: ana.id },
    ];
    expect(await say(stub, own)).toBe(1);
    expect((await nextOf(budi.client)).words).toEqual(["satu", "dua"]);
    await ana.client.expectNothing();
  });

  it("are kept each by itself and once, however many do not get one of them; volatile ones are not", async () => {
    const stub = newShard("recovering");
    const all = await inRoom(stub, 3);
    const words = all.map(({ id }, n) => ({ text: `kata-${n}`, except: id }));
    await say(stub, [...words, { text: "jumlah", isVolatile: true }]);
    const kept = await keptBy(stub);
    expect(kept.map(({ except }) => except)).toEqual(all.map(({ id }) => [id]));
    const texts = kept.map(({ frames: [frame] }) => frame);
    expect(texts).toEqual(
      all.map((_, n) => expect.stringMatching(`^42\\["batch",\\[\\["chat","kata-${n}"\\]\\],`)),
    );
    expect(await say(stub, [{ text: "jumlah", isVolatile: true }])).toBe(3);
    for (const { client } of all) {
      expect(await nextOf(client)).toMatchObject({ offset: expect.any(String) });
      expect(await nextOf(client)).toEqual({ words: ["jumlah"] });
    }
  });

  it("that a client has missed come one by one, his own left out; what he has got does not come again", async () => {
    const stub = newShard("recovering");
    const [ana, budi] = await inRoom(stub, 2);
    if (!ana || !budi) throw new Error("two came");
    await say(stub, [{ text: "nol" }, { text: "milik", except: ana.id }]);
    const { offset } = await nextOf(ana.client);
    await nextOf(budi.client);
    ana.client.close();
    await ana.client.closed;
    await say(stub, [
      { text: "satu" },
      { text: "sendiri", except: ana.id },
      { text: "jumlah", isVolatile: true },
      { text: "dua" },
    ]);
    const back = await comeBack(stub, { pid: ana.pid, offset });
    const first = await nextOf(back);
    expect(first.words).toEqual(["satu"]);
    expect((await nextOf(back)).words).toEqual(["dua"]);
    await back.expectNothing();
    back.close();
    await back.closed;
    const again = await comeBack(stub, { pid: ana.pid, offset: first.offset });
    expect((await nextOf(again)).words).toEqual(["dua"]);
    const all = await nextOf(budi.client);
    expect(all.words).toEqual(["satu", "sendiri", "jumlah", "dua"]);
    budi.client.close();
    await budi.client.closed;
    const whole = await comeBack(stub, { pid: budi.pid, offset: all.offset });
    await whole.expectNothing();
  });
});
