import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { jakartaDay } from "../../shared/time/jakarta.ts";
import { testContext } from "../testing/api.ts";
import { createUser, unique } from "../testing/factories.ts";
import { roundTrips } from "../testing/round-trips.ts";
import { openSessionOf } from "./sessions.ts";
import { withinOneHour } from "./testing/one-hour.ts";
import { execute, get, goLive, pastSession, post, refused, told } from "./testing/people.ts";
import { end, renew, rowOf } from "./testing/sessions.ts";

const START = "/api/live-session/start";
const END = "/api/live-session/end";
const durationOf = (host: { userId: number }) => `/api/live-session/duration/today/${host.userId}`;

describe("POST /api/live-session/start", () => {
  it("answers the session's number and its start, in one round trip", async () => {
    const host = await createUser();
    const trips = await roundTrips(async () => {
      const answer = await post(START, host, { hostId: host.userId, roomId: "chatme-live" });
      expect(told(answer)).toEqual({
        status: 200,
        body: {
          success: true,
          sessionId: expect.any(Number),
          start: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        },
      });
    });
    expect(trips).toBe(1);
    expect(await openSessionOf(testContext(), { hostId: host.userId })).toMatchObject({
      hostId: host.userId,
      roomId: "chatme-live",
    });
  });

  it("takes a room's number for its name", async () => {
    const host = await createUser();
    const answer = await post(START, host, { hostId: host.userId, roomId: host.userId });
    expect(answer.status).toBe(200);
    const open = await openSessionOf(testContext(), { roomId: String(host.userId) });
    expect(open?.id).toBe(answer.body.sessionId);
    for (const roomId of [1.5, 1e300, true, {}]) {
      expect((await post(START, host, { hostId: host.userId, roomId })).status).toBe(400);
    }
  });

  it("takes the number as text, and names the room after a host who names none", async () => {
    const host = await createUser();
    for (const roomId of [undefined, null, ""]) {
      const answer = await post(START, host, { hostId: String(host.userId), roomId });
      expect(answer.status).toBe(200);
      const open = await openSessionOf(testContext(), { roomId: `room_${host.userId}` });
      expect(open?.id).toBe(answer.body.sessionId);
    }
  });

  it("refuses to go live for somebody else, for nobody and without a token", async () => {
    const [host, other] = [await createUser(), await createUser()];
    expect(told(await post(START, host, { hostId: other.userId }))).toEqual(
      refused(403, "Akses ditolak"),
    );
    const wrong: unknown[] = [{}, { hostId: null }, { hostId: "x" }, { hostId: 1.5 }, null, []];
    for (const json of wrong) {
      expect(told(await post(START, host, json))).toEqual(refused(400, "hostId wajib"));
    }
    expect(told(await post(START, null, { hostId: host.userId }))).toEqual(
      refused(401, "Token tidak ditemukan"),
    );
    const long = { hostId: host.userId, roomId: "x".repeat(101) };
    expect((await post(START, host, long)).status).toBe(400);
    expect(await openSessionOf(testContext(), { hostId: host.userId })).toBeNull();
  });

  it("ends the open session of the same host", async () => {
    const host = await createUser();
    const first = await goLive(host);
    const second = await goLive(host);
    expect(await rowOf(first)).toMatchObject({ open: false, reason: "new_start" });
    expect(await rowOf(second)).toMatchObject({ open: true });
  });

  it("leaves one open session of twenty starts at once, and every other one ended", async () => {
    const host = await createUser();
    const ids = await Promise.all(Array.from({ length: 20 }, () => goLive(host)));
    expect(new Set(ids).size).toBe(20);
    const all = await Promise.all(ids.map(rowOf));
    expect(all.filter(({ open }) => open)).toHaveLength(1);
    expect(all.filter(({ reason }) => reason === "new_start")).toHaveLength(19);
  });
});

describe("POST /api/live-session/end", () => {
  it("answers the row with the server's own figures, in one round trip", async () => {
    const host = await createUser();
    const sessionId = await goLive(host, "chatme-live");
    const trips = await roundTrips(async () => {
      const answer = await post(END, host, { sessionId, totalIncome: 999_999, totalViewers: 77 });
      expect(told(answer)).toEqual({
        status: 200,
        body: {
          success: true,
          data: {
            id: sessionId,
            host_id: host.userId,
            room_id: "chatme-live",
            start_time: expect.stringMatching(/Z$/),
            end_time: expect.stringMatching(/Z$/),
            duration_seconds: 0,
            total_income: 0,
            total_viewers: 0,
            created_at: expect.stringMatching(/Z$/),
          },
        },
      });
    });
    expect(trips).toBe(1);
  });

  it("changes nothing the second time, also when ten ask at once", async () => {
    const host = await createUser();
    const sessionId = await goLive(host);
    const answers = await Promise.all(Array.from({ length: 10 }, () => end(host, sessionId)));
    const again = await end(host, String(sessionId));
    for (const answer of answers) expect(told(answer)).toEqual(told(again));
    expect(again.status).toBe(200);
  });

  it("refuses another's session, a missing one and rubbish", async () => {
    const [host, other] = [await createUser(), await createUser()];
    const sessionId = await goLive(host);
    expect(told(await end(other, sessionId))).toEqual(refused(403, "Akses ditolak"));
    expect(told(await end(host, 2 ** 52))).toEqual(refused(404, "Sesi live tidak ditemukan"));
    for (const wrong of [undefined, null, "x", -1, 1.5, 2 ** 60, {}]) {
      expect(told(await end(host, wrong))).toEqual(refused(400, "sessionId wajib"));
    }
    expect(told(await post(END, null, { sessionId }))).toEqual(
      refused(401, "Token tidak ditemukan"),
    );
    expect((await rowOf(sessionId)).open).toBe(true);
  });

  it("counts what the gifts of the session brought in, and each viewer once", async () => {
    const [host, fan, guest] = [await createUser(), await createUser(), await createUser()];
    const room = unique("r");
    const sessionId = await goLive(host, room);
    await renew(host, room, 1, [fan.userId, guest.userId, fan.userId, host.userId]);
    await renew(host, room, 0, [fan.userId]);
    await execute(
      sql`insert into live_session_gifts (session_id, gifts, coins, income) values (${sessionId}, 2, 300, 150)`,
    );
    const { body } = await end(host, sessionId);
    expect(body.data).toMatchObject({ total_income: 150, total_viewers: 2 });
  });

  it("counts each guest once, and never fewer people than were there at once", async () => {
    const [host, fan] = [await createUser(), await createUser()];
    const room = unique("r");
    const sessionId = await goLive(host, room);
    for (const guests of [["g:1:Ana", "g:#x"], ["g:#x"], ["g:2:Ana"]]) {
      await renew(host, room, 1, [fan.userId], guests);
    }
    expect((await end(host, sessionId)).body.data.total_viewers).toBe(4);
    const crowded = await goLive(host, room);
    for (const people of [3, 8, 4]) await renew(host, room, people, [fan.userId], ["g:1:Ana"]);
    expect((await end(host, crowded)).body.data.total_viewers).toBe(8);
  });

  it("counts nobody for a host who was alone", async () => {
    const host = await createUser();
    const room = unique("r");
    const sessionId = await goLive(host, room);
    for (const people of [0, 0]) await renew(host, room, people, [host.userId]);
    expect((await end(host, sessionId)).body.data.total_viewers).toBe(0);
  });
});

describe("GET /api/live-session/duration/today/:hostId", () => {
  it("adds ended sessions that began on this day of Jakarta, in one round trip", () =>
    withinOneHour(async () => {
      const host = await createUser();
      const midnight = new Date(`${jakartaDay(new Date())}T00:00:00+07:00`).getTime();
      await pastSession(host, { start: new Date(midnight - 1000), seconds: 7_000 });
      await pastSession(host, { start: new Date(midnight), seconds: 100 });
      await pastSession(host, { start: new Date(midnight + 1), seconds: 23 });
      await pastSession(host, { start: new Date(midnight + 86_400_000), seconds: 5_000 });
      await goLive(host);
      const trips = await roundTrips(async () => {
        expect(told(await get(durationOf(host), host))).toEqual({
          status: 200,
          body: { success: true, totalSeconds: 123 },
        });
      });
      expect(trips).toBe(1);
    }));

  it("is for the host and admins, and knows hosts who were never live", async () => {
    const [host, other, admin] = [
      await createUser(),
      await createUser(),
      await createUser(["admin"]),
    ];
    const none = { status: 200, body: { success: true, totalSeconds: 0 } };
    expect(told(await get(durationOf(host), host))).toEqual(none);
    expect(told(await get(durationOf(host), admin))).toEqual(none);
    expect(told(await get(durationOf(host), other))).toEqual(refused(403, "Akses ditolak"));
    expect(told(await get(durationOf(host)))).toEqual(refused(401, "Token tidak ditemukan"));
    for (const id of ["x", "1.5", "-1", "9".repeat(30), "0"]) {
      expect(told(await get(`/api/live-session/duration/today/${id}`, host))).toEqual(
        refused(400, "Invalid hostId parameter"),
      );
    }
  });
});
