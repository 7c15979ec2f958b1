import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { Ctx } from "../../shared/context.ts";
import { testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { roundTrips } from "../testing/round-trips.ts";
import { liveHosts } from "./hosts.ts";
import { execute, get, goLive, pastSession, post, refused, told } from "./testing/people.ts";
import { renew } from "./testing/sessions.ts";

const LISTS = ["live", "hot", "new"];
/** Lists hold everybody's hosts: a test looks for its own. */
const list = async (path: string, user?: TestUser) => {
  const { status, body } = await get(`/api/hosts/${path}`, user);
  expect(status).toBe(200);
  return body.data as { id: string; [key: string]: unknown }[];
};
const idsIn = async (path: string, hosts: TestUser[], user?: TestUser) => {
  const wanted = hosts.map(({ userId }) => String(userId));
  return (await list(path, user)).map(({ id }) => id).filter((id) => wanted.includes(id));
};
const ids = (...hosts: TestUser[]) => hosts.map(({ userId }) => String(userId));
const change = (host: TestUser, set: ReturnType<typeof sql>) =>
  execute(sql`update identity_users set ${set} where id = ${host.userId}`);

describe("the home screen's lists", () => {
  it.each(LISTS)("%s shows a live host as a card, in one round trip", async (path) => {
    const host = await createUser();
    await change(
      host,
      sql`name = 'Rani', avatar_url = '/uploads/avatars/1/a.jpg', level = 4, vip_level = 2`,
    );
    await goLive(host, "chatme-live");
    const trips = await roundTrips(async () => {
      const found = (await list(`${path}?limit=100`)).find(({ id }) => id === String(host.userId));
      expect(found).toEqual({
        id: String(host.userId),
        name: "Rani",
        viewers: expect.any(Number),
        image: "http://localhost:8787/uploads/avatars/1/a.jpg",
        title: "Live Rani",
        level: 4,
        vipLevel: 2,
        roomId: "chatme-live",
        isLive: true,
      });
    });
    expect(trips).toBe(1);
  });

  it("show how many the room counts, and where it does not answer how many it counted last", async () => {
    const [host, room] = [await createUser(), unique("r")];
    const viewersIn = async (roomId: string, people: number | null) => {
      const viewerCount = async () => people ?? Promise.reject(new Error("silent"));
      const rooms = { getByName: () => ({ viewerCount }) };
      const ctx = { ...testContext(), rooms: rooms as unknown as Ctx["rooms"] };
      const found = await liveHosts(ctx, { page: 1, limit: 100 });
      const card = found.find(({ id }) => id === String(host.userId));
      expect(card?.roomId).toBe(roomId);
      return card?.viewers;
    };
    await goLive(host, room);
    expect(await viewersIn(room, 3)).toBe(3);
    for (const [roomId, people, viewers] of [
      [unique("r"), 3, 3],
      [unique("r"), 0, 0],
      [unique("r"), null, 7],
    ] as const) {
      await goLive(host, roomId);
      await renew(host, roomId, 7);
      expect(await viewersIn(roomId, people)).toBe(viewers);
    }
  });

  it("may be kept for two seconds by anybody when they are the same for everybody", async () => {
    const kept = await Promise.all(
      ["live", "hot", "followed"].map((one) => get(`/api/hosts/${one}`)),
    );
    expect(kept.map(({ headers }) => headers.get("cache-control"))).toEqual([
      "public, max-age=2",
      "public, max-age=2",
      "no-store",
    ]);
  });

  it.each(LISTS)("%s hides who is banned or deleted", async (path) => {
    const [banned, gone] = [await createUser(), await createUser()];
    await goLive(banned);
    await goLive(gone);
    await change(banned, sql`banned_at = now()`);
    await change(gone, sql`deleted_at = now()`);
    expect(await idsIn(`${path}?limit=100`, [banned, gone])).toEqual([]);
  });

  it("show only who is live now as live, the newest first", async () => {
    const [early, late, over] = [await createUser(), await createUser(), await createUser()];
    for (const host of [early, late, over]) await goLive(host);
    const { sessionId } = (await post("/api/live-session/start", over, { hostId: over.userId }))
      .body;
    await post("/api/live-session/end", over, { sessionId });
    expect(await idsIn("live?limit=100", [early, late, over])).toEqual(ids(late, early));
  });

  it("hot: the last ten minutes first, then what was earned in 24 hours, then viewers", async () => {
    const hosts = await Promise.all(Array.from({ length: 5 }, () => createUser()));
    const [justBegun, rich, watched, quiet, past] = hosts as [
      TestUser,
      TestUser,
      TestUser,
      TestUser,
      TestUser,
    ];
    for (const host of hosts) {
      const sessionId = await goLive(host);
      if (host === justBegun) continue;
      await execute(
        sql`update live_sessions set start_time = start_time - interval '1 hour' where id = ${sessionId}`,
      );
    }
    await execute(sql`update live_sessions set viewers_now = 9 where host_id = ${watched.userId}`);
    await execute(sql`update live_sessions set viewers_now = 5 where host_id = ${past.userId}`);
    const given = (host: TestUser, hours: number, coins: number, income: number) =>
      execute(
        sql`insert into live_host_hours (hour, host_id, coins, income)
          values (date_trunc('hour', now()) - make_interval(hours => ${hours}), ${host.userId}, ${coins}, ${income})`,
      );
    await given(rich, 2, 50, 25);
    await given(rich, 23, 50, 25);
    await given(watched, 2, 400, 40);
    await given(past, 26, 9_000_000, 4_500_000);
    expect(await idsIn("hot?limit=100", hosts)).toEqual(ids(justBegun, rich, watched, past, quiet));
  });

  it("new: hosts who registered within seven days, live or not, and nobody who never hosted", async () => {
    const [live, rested, old, buyer] = [
      await createUser(),
      await createUser(),
      await createUser(),
      await createUser(),
    ];
    await pastSession(rested, { start: new Date(Date.now() - 3_600_000) });
    await goLive(live);
    await goLive(old);
    await change(old, sql`created_at = now() - interval '7 days'`);
    expect(await idsIn("new?limit=100", [live, rested, old, buyer])).toEqual(ids(live, rested));
  });

  it("come in pages, and take odd numbers for none", async () => {
    expect((await list("live?limit=1")).length).toBeLessThanOrEqual(1);
    for (const query of ["page=x&limit=y", "page=-1&limit=0", "page=1e9&limit=1e9", "limit=1.5"]) {
      expect((await list(`live?${query}`)).length).toBeLessThanOrEqual(50);
    }
  });
});

describe("GET /api/hosts/followed", () => {
  it("shows whom I follow, who is live first", async () => {
    const [me, live, rested] = [await createUser(), await createUser(), await createUser()];
    await goLive(live, unique("r"));
    for (const { userId } of [live, rested]) {
      await post("/api/follows/follow", me, { targetUserId: userId });
    }
    const found = await list("followed", me);
    expect(found).toMatchObject([
      { id: String(live.userId), isLive: true, roomId: expect.any(String) },
      { id: String(rested.userId), isLive: false, roomId: null, viewers: 0 },
    ]);
    expect(await list("followed", live)).toEqual([]);
    expect(told(await get("/api/hosts/followed"))).toEqual(refused(401, "Token tidak ditemukan"));
  });
});

describe("GET /api/hosts/search", () => {
  const search = (q: string) => list(`search?q=${encodeURIComponent(q)}`);
  async function named(name: string) {
    const host = await createUser();
    await change(host, sql`name = ${name}`);
    await pastSession(host, { start: new Date() });
    return host;
  }

  it("finds a host by his number or by any part of his name, whatever its case", async () => {
    const word = unique("Zz");
    const host = await named(`Kak ${word} Ayu`);
    for (const q of [
      String(host.userId),
      word,
      word.toUpperCase(),
      `k ${word.slice(0, 8)}`,
      ` ${word} `,
    ]) {
      expect(
        (await search(q)).map(({ id }) => id),
        q,
      ).toEqual(ids(host));
    }
  });

  it("finds nothing for nothing, and takes no letter for a wildcard", async () => {
    const word = unique("w");
    await named(`a${word}b`);
    const percent = await named(`50% ${word}_x\\`);
    for (const q of [
      "",
      "   ",
      `%${word}`,
      `${word}_`,
      "a_b_c_d_%",
      "9".repeat(15),
      "9".repeat(99),
      "\0",
    ]) {
      const found = await search(q);
      expect(
        found.map(({ name }) => String(name)).every((name) => name.includes(q) && q !== ""),
      ).toBe(true);
    }
    expect((await search("50%")).length).toBeGreaterThan(0);
    expect((await search(`% ${word}_x\\`)).map(({ id }) => id)).toEqual(ids(percent));
    expect(await list("search")).toEqual([]);
  });

  it("ends at ten", async () => {
    const word = unique("Banyak");
    await Promise.all(Array.from({ length: 12 }, (_, i) => named(`${word} ${i}`)));
    expect(await search(word)).toHaveLength(10);
  });

  it("finds who registered with the app's phone, not the buyers of the shops, and says no phone", async () => {
    const word = unique("Orang");
    const buyer = await createUser();
    await change(buyer, sql`name = ${word}`);
    expect(await search(word)).toEqual([]);
    expect(await search(String(buyer.userId))).toEqual([]);
    await change(buyer, sql`email = null, phone = ${`0899${buyer.userId}1`}`);
    const found = await search(word);
    expect(found).toMatchObject([{ id: String(buyer.userId), isLive: false }]);
    expect(JSON.stringify(found)).not.toContain("0899");
  });
});
