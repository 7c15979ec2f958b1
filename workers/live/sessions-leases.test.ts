import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { settleBackground, testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { roundTrips } from "../testing/round-trips.ts";
import { endAbandoned, endLapsedSessions, openSessionOf, renewLeases } from "./sessions.ts";
import { execute, goLive, told } from "./testing/people.ts";
import { back, end, renew, rowOf } from "./testing/sessions.ts";
import { inLive } from "./testing/socket-client.ts";

describe("a lease", () => {
  it("is all that makes a live last: its time counts to the last renewal when that is long ago", async () => {
    const host = await createUser();
    const room = unique("r");
    const sessionId = await goLive(host, room);
    await back(sessionId, 80);
    expect(await renew(host, room)).toBe(sessionId);
    await back(sessionId, 70);
    expect(await renew(host, room)).toBe(sessionId);
    await back(sessionId, 40);
    const { body } = await end(host, sessionId);
    expect(body.data.duration_seconds).toBe(150);
    const row = await rowOf(sessionId);
    expect(row.lag).toBeGreaterThanOrEqual(40);
  });

  it("that is fresh carries the live to its end by the host's wish or by his next start", async () => {
    const host = await createUser();
    const room = unique("r");
    const wishes = [end, async () => void (await goLive(host, unique("r")))];
    for (const wish of wishes) {
      const sessionId = await goLive(host, room);
      await renew(host, room);
      await back(sessionId, 20);
      await wish(host, sessionId);
      const row = await rowOf(sessionId);
      expect(row).toMatchObject({ open: false, seconds: 20 });
      expect(row.proven_ms).toBeGreaterThanOrEqual(20_000);
      expect(row.proven_ms).toBeLessThan(21_000);
    }
  });

  it("is given as soon as the room sees the host's socket, so that a short live lasts", async () => {
    const host = await createUser();
    const room = unique("r");
    const sessionId = await goLive(host, room);
    await inLive(room, { headers: { authorization: `Bearer ${host.token}` } });
    await expect.poll(async () => (await rowOf(sessionId)).proven).toBe(true);
    await back(sessionId, 20);
    const { data } = (await end(host, sessionId)).body;
    expect(data.duration_seconds).toBeGreaterThanOrEqual(20);
    expect(data.total_viewers).toBe(0);
  });

  it("never given makes no time of a short live", async () => {
    const host = await createUser();
    const sessionId = await goLive(host);
    await back(sessionId, 20);
    expect((await end(host, sessionId)).body.data.duration_seconds).toBe(0);
  });

  it("costs one round trip, for all hosts of a room together", async () => {
    const room = unique("r");
    const hosts = await Promise.all(Array.from({ length: 3 }, () => createUser()));
    const [a, b] = [
      await goLive(hosts[0] as TestUser, room),
      await goLive(hosts[2] as TestUser, room),
    ];
    const renewals = hosts.map(({ userId }) => ({ hostId: userId, roomId: room, viewers: 5 }));
    const ctx = testContext();
    expect(
      await roundTrips(async () => {
        expect(await renewLeases(ctx, renewals)).toEqual([a, null, b]);
      }),
    ).toBe(1);
  });

  it("is not given in another room than the session's", async () => {
    const host = await createUser();
    await goLive(host, unique("r"));
    expect(await renew(host, unique("r"))).toBeNull();
  });

  it("that lapsed is renewed while nobody has ended its session, and the time between counts for nothing", async () => {
    const host = await createUser();
    const room = unique("r");
    const sessionId = await goLive(host, room);
    await back(sessionId, 40);
    await renew(host, room);
    await back(sessionId, 91);
    expect(await renew(host, room)).toBe(sessionId);
    await back(sessionId, 20);
    await renew(host, room);
    expect((await end(host, sessionId)).body.data.duration_seconds).toBe(60);
    expect(await renew(host, room)).toBeNull();
  });

  it("that comes late for the first time proves nothing of the time before", async () => {
    const host = await createUser();
    const room = unique("r");
    const sessionId = await goLive(host, room);
    await back(sessionId, 600);
    expect(await renew(host, room)).toBe(sessionId);
    await back(sessionId, 20);
    await renew(host, room);
    expect((await end(host, sessionId)).body.data.duration_seconds).toBe(20);
  });

  it("and an end at the same moment leave an ended session whose figures stay", async () => {
    const host = await createUser();
    const room = unique("r");
    const sessionId = await goLive(host, room);
    const [answer] = await Promise.all([
      end(host, sessionId),
      ...Array.from({ length: 5 }, () => renew(host, room, 8)),
    ]);
    const again = await end(host, sessionId);
    expect(told(again)).toEqual(told(answer));
    expect(await renew(host, room)).toBeNull();
  });
});

describe("a host who is gone", () => {
  it("ends his live at its last proof, once", async () => {
    const host = await createUser();
    const room = unique("r");
    const sessionId = await goLive(host, room);
    await back(sessionId, 50);
    await renew(host, room);
    await back(sessionId, 60);
    const gone = { hostId: host.userId, roomId: room };
    expect(await endAbandoned(testContext(), gone)).toMatchObject({ duration_seconds: 50 });
    expect(await endAbandoned(testContext(), gone)).toBeNull();
    expect(await rowOf(sessionId)).toMatchObject({ reason: "host_gone", lag: 0 });
    await settleBackground();
  });

  it("ends it also when Postgres dates his last proof a little after his goodbye", async () => {
    const host = await createUser();
    const room = unique("r");
    const sessionId = await goLive(host, room);
    await back(sessionId, 50);
    await renew(host, room);
    const goneSince = new Date(Date.now() - 1_000);
    await endAbandoned(testContext(), { hostId: host.userId, roomId: room, goneSince });
    expect(await rowOf(sessionId)).toMatchObject({ reason: "host_gone", lag: 0 });
    await settleBackground();
  });

  it("and is back with a new live keeps it, and keeps one in another room", async () => {
    const host = await createUser();
    const room = unique("r");
    const sessionId = await goLive(host, room);
    const gone = { hostId: host.userId, roomId: room, goneSince: new Date(Date.now() - 60_000) };
    expect(await endAbandoned(testContext(), gone)).toBeNull();
    expect(await endAbandoned(testContext(), { ...gone, roomId: unique("r") })).toBeNull();
    expect((await rowOf(sessionId)).open).toBe(true);
  });
});

describe("the minute's sweep", () => {
  const sweep = () => endLapsedSessions(testContext());

  it("tells a room of a live whose start it did not hear of: its host's socket proves it from then on", async () => {
    const host = await createUser();
    const roomId = unique("r");
    const input = { host_id: host.userId, claimed_id: host.userId, room_id: roomId };
    await execute(sql`select live_start_session(${JSON.stringify(input)}::jsonb)`);
    const open = await openSessionOf(testContext(), { hostId: host.userId });
    const { id = 0 } = open ?? {};
    await inLive(roomId, { headers: { authorization: `Bearer ${host.token}` } });
    await sweep();
    expect(await rowOf(id)).toMatchObject({ proven: false });
    await back(id, 50);
    await sweep();
    await expect.poll(async () => (await rowOf(id)).proven).toBe(true);
  });

  it("ends what lapsed and what is too old, leaves the rest, and finds nothing the second time", async () => {
    const hosts = await Promise.all(Array.from({ length: 4 }, () => createUser()));
    const [lapsed, old, fresh, unproven] = hosts as [TestUser, TestUser, TestUser, TestUser];
    const room = unique("r");
    const ids = await Promise.all(hosts.map((host) => goLive(host, room)));
    const [lapsedId = 0, oldId = 0, freshId = 0, unprovenId = 0] = ids;
    for (const [host, id] of [
      [lapsed, lapsedId],
      [old, oldId],
      [fresh, freshId],
    ] as const) {
      await back(id, 60);
      await renew(host, room);
    }
    await back(lapsedId, 95);
    await execute(
      sql`update live_sessions set start_time = start_time - interval '12 hours' where id = ${oldId}`,
    );
    await back(unprovenId, 7_100);
    await Promise.all([sweep(), sweep(), sweep()]);
    await sweep();
    expect(await rowOf(lapsedId)).toMatchObject({ reason: "lapsed", seconds: 60, lag: 0 });
    expect(await rowOf(oldId)).toMatchObject({ reason: "max_age", seconds: 60, lag: 0 });
    expect(await rowOf(freshId)).toMatchObject({ open: true });
    expect(await rowOf(unprovenId)).toMatchObject({ open: true });
    await back(unprovenId, 200);
    await sweep();
    expect(await rowOf(unprovenId)).toMatchObject({ reason: "lapsed", seconds: 0, lag: 0 });
    expect(unproven.userId).toBeGreaterThan(0);
    await Promise.all([end(lapsed, lapsedId), end(old, oldId)]);
    expect(await rowOf(lapsedId)).toMatchObject({ reason: "lapsed", seconds: 60 });
  });
});
