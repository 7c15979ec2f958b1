import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { unique } from "../../testing/factories.ts";
import { shardStub } from "../testing/rounds.ts";
import { inLive, type SocketClient } from "../testing/socket-client.ts";

const SHARD = "s6";

/** The messages of as many batches as bring this one. */
async function until(socket: SocketClient, last: string): Promise<string[]> {
  const heard: string[] = [];
  while (!heard.includes(last)) {
    for (const [name, payload] of await socket.hears("live:batch")) {
      if (name === "live:new-message") heard.push(payload.message);
    }
  }
  return heard;
}

/** Each packet of the shard's log that speaks of it. */
const keptOf = (text: string) =>
  runInDurableObject(shardStub(SHARD), (_, { storage }) => {
    const rows = storage.sql.exec<{ packets: string }>("select packets from socketio_log");
    const all = rows
      .toArray()
      .flatMap(({ packets }): { frames: string[] }[] => JSON.parse(packets));
    return all.filter(({ frames }) => frames.join().includes(text)).length;
  });

it("a room where everybody speaks and has batches is kept once a word, not once a speaker, nor for those without batches", async () => {
  const roomId = unique();
  const names = ["A", "B", "C"];
  const sockets: SocketClient[] = [];
  for (const name of names) {
    sockets.push(await inLive(roomId, { shard: SHARD, auth: { batch: true }, name }));
  }
  const words = names.map((name) => `${roomId}-kata-${name}`);
  sockets.forEach((socket, n) => void socket.emit("live:message", { roomId, message: words[n] }));
  const last = `${roomId}-habis`;
  const host = env.ROOM.getByName(`live:${roomId}`);
  await expect.poll(async () => (await host.messages()).length).toBe(names.length);
  const other = await inLive(roomId, { shard: "s7", auth: { batch: true }, name: "D" });
  await other.ask("live:message", { roomId, message: last });
  for (const [n, socket] of sockets.entries()) {
    const ofOthers = words.filter((_, i) => i !== n);
    expect((await until(socket, last)).toSorted()).toEqual([...ofOthers, last].toSorted());
  }
  await expect.poll(async () => await keptOf(last)).toBe(1);
  for (const word of words) expect(await keptOf(word)).toBe(1);
});
