import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type TestUser, unique } from "../../testing/factories.ts";
import { join, user } from "./stage.ts";

export const shardStub = (name: string) => env.SOCKET_SHARD.getByName(name);
export const roomStub = (roomId: string) => env.ROOM.getByName(`live:${roomId}`);

/** Lets a shard do what it does every 25 s, now, with nothing but its storage to go by. */
export async function rounds(shard: string): Promise<void> {
  await runInDurableObject(shardStub(shard), (_, state) => {
    state.storage.sql.exec("update socketio_clock set wake_at = 1");
  });
  await evictDurableObject(shardStub(shard));
  await runDurableObjectAlarm(shardStub(shard));
}

/** Changes what an object keeps, as time or an accident would, and takes its memory. */
export async function alter(
  stub: ReturnType<typeof shardStub> | ReturnType<typeof roomStub>,
  statement: string,
): Promise<void> {
  await runInDurableObject(stub, (_: unknown, state) => {
    state.storage.sql.exec(statement);
  });
  await evictDurableObject(stub);
}

/** A live room loses its memory while it speaks: who comes back to it begins anew. */
export const cutOff = (roomId: string) =>
  alter(roomStub(roomId), "insert or replace into said values (1, 0, 1)");

/** A party room in which they sit. */
export async function inParty(...people: TestUser[]): Promise<string> {
  const roomId = unique("pesta");
  const ops = people.map(({ userId }) => join(unique("s"), user(userId)));
  await env.ROOM.getByName(`party:${roomId}`).apply("s0", ops);
  return roomId;
}
