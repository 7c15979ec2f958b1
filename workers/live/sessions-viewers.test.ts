import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { describe, expect, it, test } from "vitest";
import { z } from "zod";
import { testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { endLapsedSessions, openSessionOf, purgeVisitors } from "./sessions.ts";
import { execute, goLive, post, query } from "./testing/people.ts";
import { alter, cutOff, roomStub } from "./testing/rounds.ts";
import { back, end, rowOf } from "./testing/sessions.ts";
import { connectSocket, inLive, type SocketClient } from "./testing/socket-client.ts";

const bearer = ({ token }: TestUser) => ({ headers: { authorization: `Bearer ${token}` } });

async function goes(socket: SocketClient, watcher: SocketClient): Promise<void> {
  socket.leave();
  await watcher.hears("live:user-left");
}

/** A host's live in a room of its own, with one watcher who stays. */
async function liveOf(host: TestUser) {
  const roomId = unique();
  const sessionId = await goLive(host, roomId);
  return { roomId, sessionId, watcher: await inLive(roomId, { name: "Tetap", userId: 1 }) };
}

/** Users and guests come and go. */
async function comeAndGo(roomId: string, watcher: SocketClient): Promise<void> {
  await goes(await inLive(roomId, bearer(await createUser())), watcher);
  await goes(await inLive(roomId, { name: "Ana", userId: 7 }), watcher);
  await goes(await inLive(roomId, { name: "Ana", userId: 7 }), watcher);
}

const viewersOf = async (sessionId: number) => (await rowOf(sessionId)).viewers;

describe("the viewers of a live", () => {
  it("are all who came, guests too, though they went before its end and its host's socket was gone", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    const screen = await inLive(roomId, bearer(host));
    await runDurableObjectAlarm(roomStub(roomId));
    await comeAndGo(roomId, watcher);
    await goes(screen, watcher);
    await goes(await inLive(roomId, { name: "Budi", userId: 8 }), watcher);
    await evictDurableObject(roomStub(roomId));
    const { body } = await end(host, sessionId);
    expect(body.data).toMatchObject({ total_viewers: 4 });
    expect((await end(host, sessionId)).body.data).toEqual(body.data);
  });

  it("are no more because one of them invents names, and another comes twice", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    const inventor = await inLive(roomId, { name: "A", userId: 11 });
    for (const name of ["B", "C", "D"]) {
      await inventor.ask("user:join", { userId: `${name}1`, username: name });
      await inventor.ask("live:leave", { roomId });
      await inventor.ask("live:join", { roomId, userId: `${name}2`, username: name });
    }
    await goes(await inLive(roomId, { name: "Ana", userId: 7 }), watcher);
    await goes(await inLive(roomId, { name: "Ana", userId: 7 }), watcher);
    expect((await end(host, sessionId)).body.data).toMatchObject({ total_viewers: 3 });
  });

  it("are no more because one who claims nothing is back on a new connection: his client's secret tells who he is", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    const before = await inLive(roomId, { name: "Tamu", userId: null });
    before.cut();
    await watcher.hears("live:user-left");
    await cutOff(roomId);
    const after = await connectSocket({ auth: { pid: before.pid } });
    expect(after.id).not.toBe(before.id);
    await expect.poll(() => roomStub(roomId).viewerCount()).toBe(2);
    await evictDurableObject(roomStub(roomId));
    expect((await end(host, sessionId)).body.data).toMatchObject({ total_viewers: 2 });
  });

  it.each([[["s0.x"]], [{ a: 1 }], ["s0.nobody"], [7]])(
    "may name any secret (%j), which brings them nowhere",
    async (pid) => {
      const { roomId } = await liveOf(await createUser());
      const guest = await connectSocket({ auth: { pid } });
      expect(await guest.ask("live:leave", { roomId: "lain" })).toEqual({ success: true });
      expect(await guest.ask("live:join", { roomId })).toMatchObject({ success: true, count: 2 });
    },
  );

  it("are counted when another start ends it, and those of the next are its own", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    await comeAndGo(roomId, watcher);
    const next = await goLive(host, roomId);
    await expect.poll(() => viewersOf(sessionId)).toBe(3);
    expect((await end(host, next)).body.data).toMatchObject({ total_viewers: 1 });
  });

  it("are counted when the sweep ends it, too old or without its host", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    await comeAndGo(roomId, watcher);
    await execute(
      sql`update live_sessions set start_time = start_time - interval '13 hours' where id = ${sessionId}`,
    );
    await endLapsedSessions(testContext());
    await watcher.hears("live:ended");
    await expect.poll(() => viewersOf(sessionId)).toBe(3);
  });

  it("are counted when its host stayed away for a minute", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    const screen = await inLive(roomId, bearer(host));
    await runDurableObjectAlarm(roomStub(roomId));
    await expect.poll(async () => (await rowOf(sessionId)).proven).toBe(true);
    await goes(screen, watcher);
    await comeAndGo(roomId, watcher);
    await back(sessionId, 70);
    await alter(roomStub(roomId), "update lives set seen_at = seen_at - 70000");
    await runDurableObjectAlarm(roomStub(roomId));
    await watcher.hears("live:ended");
    await expect.poll(() => viewersOf(sessionId)).toBe(3);
  });
});

test("who came to a live is forgotten a week after its end, how many came is not", async () => {
  const [host, fan] = [await createUser(), await createUser()];
  // The oldest there is, as the purge goes by age.
  await execute(
    sql`insert into live_sessions (id, host_id, room_id, start_time, proven_at, end_time, end_reason, total_viewers)
      overriding system value select 0, ${host.userId}, 'r', t, t, t, 'request', 2
      from (select now() - interval '169 hours' as t) ago on conflict (id) do nothing`,
  );
  const young = await goLive(host);
  for (const id of [0, young]) {
    await execute(
      sql`insert into live_session_viewers (session_id, user_id) values (${id}, ${fan.userId})`,
    );
    await execute(
      sql`insert into live_session_guests (session_id, guest) values (${id}, gen_random_uuid())`,
    );
  }
  await purgeVisitors(testContext());
  const kept = await query(
    sql`select s.id::int as id, s.total_viewers as total,
        (select count(*)::int from live_session_viewers v where v.session_id = s.id) as viewers,
        (select count(*)::int from live_session_guests g where g.session_id = s.id) as guests
      from live_sessions s where s.id in (0, ${young}) order by s.id`,
    z.unknown(),
  );
  expect(kept).toEqual([
    { id: 0, total: 2, viewers: 0, guests: 0 },
    { id: young, total: 0, viewers: 1, guests: 1 },
  ]);
});

describe("the end of a live", () => {
  const endUnheard = async (host: TestUser, sessionId: number) => {
    const input = { session_id: sessionId, host_id: host.userId };
    await execute(sql`select live_end_session(${JSON.stringify(input)}::jsonb)`);
  };

  it("of which the word was lost is told by the minute's sweep, once, and counts its viewers then", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    await comeAndGo(roomId, watcher);
    await endUnheard(host, sessionId);
    await endLapsedSessions(testContext());
    expect(await watcher.hears("live:ended")).toMatchObject({ sessionId, hostId: host.userId });
    await expect.poll(() => viewersOf(sessionId)).toBe(3);
    await endLapsedSessions(testContext());
    await watcher.ask("live:message", { roomId, message: "masih ada?" });
    expect(watcher.heard.filter(({ name }) => name === "live:ended")).toEqual([]);
  });

  it("of which the word was lost is noticed by the room itself where its host is there", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    await inLive(roomId, bearer(host));
    await runDurableObjectAlarm(roomStub(roomId));
    await expect.poll(async () => (await rowOf(sessionId)).proven).toBe(true);
    await endUnheard(host, sessionId);
    await alter(roomStub(roomId), "update lives set renewed_at = 0");
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await watcher.hears("live:ended")).toMatchObject({ sessionId, hostId: host.userId });
  });

  it("of which nobody told its room within half a day is told by the room, with its last word", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    await comeAndGo(roomId, watcher);
    await endUnheard(host, sessionId);
    const hours = (n: number) => n * 3_600_000;
    await alter(roomStub(roomId), `update lives set started_at = started_at - ${hours(13)}`);
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await watcher.hears("live:ended")).toMatchObject({ sessionId, hostId: host.userId });
    await expect.poll(() => viewersOf(sessionId)).toBe(3);
  });

  it("is told although the word of the start comes after it, and that one is no news any more", async () => {
    const host = await createUser();
    const { roomId, sessionId, watcher } = await liveOf(host);
    const open = await openSessionOf(testContext(), { hostId: host.userId });
    expect(open?.id).toBe(sessionId);
    await post("/api/live-session/end", host, { sessionId });
    await watcher.hears("live:ended");
    const late = {
      roomId,
      hostId: host.userId,
      hostName: "x",
      sessionId,
      state: "started",
    } as const;
    expect(await roomStub(roomId).announceLive(late)).toMatchObject({ isForHostAlone: false });
    await watcher.ask("live:message", { roomId, message: "halo" });
    expect(watcher.heard.filter(({ name }) => name === "live:started")).toEqual([]);
  });
});
