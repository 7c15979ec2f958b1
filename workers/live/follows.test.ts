import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { createUser, type TestUser } from "../testing/factories.ts";
import { roundTrips } from "../testing/round-trips.ts";
import { execute, get, goLive, post, refused, told } from "./testing/people.ts";

const FOLLOW = "/api/follows/follow";
const UNFOLLOW = "/api/follows/unfollow";
const follow = (who: TestUser, whom: { userId: number }) =>
  post(FOLLOW, who, { targetUserId: whom.userId });
const unfollow = (who: TestUser, whom: { userId: number }) =>
  post(UNFOLLOW, who, { targetUserId: whom.userId });

const done = (message: string) => ({ status: 200, body: { success: true, message } });

describe("POST /api/follows/follow and unfollow", () => {
  it("follow once and unfollow once, in one round trip each", async () => {
    const [fan, host] = [await createUser(), await createUser()];
    expect(told(await unfollow(fan, host))).toEqual(refused(400, "Anda belum mengikuti user ini"));
    const trips = await roundTrips(async () => {
      expect(told(await follow(fan, host))).toEqual(done("Berhasil mengikuti"));
    });
    expect(trips).toBe(1);
    expect(told(await follow(fan, host))).toEqual(refused(400, "Anda sudah mengikuti user ini"));
    expect(told(await unfollow(fan, host))).toEqual(done("Berhasil berhenti mengikuti"));
    expect(told(await unfollow(fan, host))).toEqual(refused(400, "Anda belum mengikuti user ini"));
  });

  it("take one of ten at once", async () => {
    const [fan, host] = [await createUser(), await createUser()];
    for (const work of [follow, unfollow]) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => work(fan, host)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(9);
    }
  });

  it("refuse oneself, people who are not there, and what is no number", async () => {
    const [fan, banned] = [await createUser(), await createUser()];
    await execute(sql`update identity_users set banned_at = now() where id = ${banned.userId}`);
    expect(told(await follow(fan, fan))).toEqual(refused(400, "Tidak bisa mengikuti diri sendiri"));
    for (const userId of [banned.userId, 1, 2 ** 50]) {
      expect(told(await follow(fan, { userId }))).toEqual(refused(404, "User tidak ditemukan"));
    }
    for (const json of [
      {},
      { targetUserId: null },
      { targetUserId: "x" },
      { targetUserId: 1.5 },
      [],
    ]) {
      for (const path of [FOLLOW, UNFOLLOW]) {
        expect(told(await post(path, fan, json))).toEqual(refused(400, "targetUserId wajib"));
      }
    }
    expect(told(await post(FOLLOW, null, { targetUserId: 1 }))).toEqual(
      refused(401, "Token tidak ditemukan"),
    );
  });

  it("take the id as the text that the host lists have", async () => {
    const [fan, host] = [await createUser(), await createUser()];
    expect((await post(FOLLOW, fan, { targetUserId: String(host.userId) })).status).toBe(200);
  });
});

describe("GET /api/follows/…", () => {
  it("lists and counts both sides, the newest first, without phone or e-mail", async () => {
    const [me, a, b] = [await createUser(), await createUser(), await createUser()];
    await execute(
      sql`update identity_users set avatar_url = '/uploads/avatars/1/a.jpg', signature = 'Halo', phone = ${`08${a.userId}77`}
        where id = ${a.userId}`,
    );
    await follow(me, a);
    await follow(me, b);
    await follow(b, me);
    await goLive(b);
    const trips = await roundTrips(async () => {
      const { body } = await get("/api/follows/following", me);
      expect(body).toEqual({
        success: true,
        data: [
          expect.objectContaining({ id: b.userId, isFollowing: true, isLive: true }),
          {
            id: a.userId,
            name: expect.any(String),
            avatar_url: "/uploads/avatars/1/a.jpg",
            level: 1,
            vipLevel: 0,
            signature: "Halo",
            isFollowing: true,
            isLive: false,
            followedAt: expect.stringMatching(/Z$/),
          },
        ],
        ...{ total: 2, page: 1, limit: 100 },
      });
    });
    expect(trips).toBe(1);
    const followers = await get("/api/follows/followers", a);
    expect(followers.body.data).toMatchObject([{ id: me.userId, isFollowing: false }]);
    const page = await get("/api/follows/following?page=2&limit=1", me);
    expect(page.body).toMatchObject({ data: [{ id: a.userId }], total: 2, page: 2, limit: 1 });
    const beyond = await get("/api/follows/following?page=9&limit=1", me);
    expect(beyond.body).toMatchObject({ data: [], total: 2, page: 9 });
    const counts = { following: 2, followers: 1 };
    expect((await get("/api/follows/counts", me)).body).toEqual({
      ...{ success: true, ...counts, data: counts },
    });
  });

  it("is empty for who follows nobody, and needs a token", async () => {
    const nobody = await createUser();
    for (const path of ["following", "followers", "counts"]) {
      expect(told(await get(`/api/follows/${path}`))).toEqual(
        refused(401, "Token tidak ditemukan"),
      );
    }
    expect((await get("/api/follows/followers", nobody)).body).toMatchObject({
      data: [],
      total: 0,
    });
    expect((await get("/api/follows/counts", nobody)).body).toMatchObject({
      ...{ following: 0, followers: 0 },
    });
  });
});
