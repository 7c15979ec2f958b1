import { describe, expect, it } from "vitest";
import type { Ctx } from "../../shared/context.ts";
import { settleBackground, testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { endLapsedSessions, endSession, hearEnds, listViewers, startSession } from "./sessions.ts";
import { get, told } from "./testing/people.ts";
import { back, renew } from "./testing/sessions.ts";

/** A context whose rooms note what they are told, and show one viewer. */
function listening(actor: TestUser) {
  const heard: unknown[] = [];
  const ctx = testContext(actor);
  const viewer = { id: 7, name: "Ana", avatar: "/uploads/a.jpg", level: 3, verified: true };
  const rooms = {
    getByName: (name: string) => ({
      announceLive: async (news: unknown) => {
        heard.push([name, news]);
        return { isForHostAlone: false, viewers: null };
      },
      proveHosts: async () => {
        heard.push([name, "proof"]);
      },
      viewers: async () => [viewer],
    }),
  };
  return { heard, viewer, ctx: { ...ctx, rooms: rooms as unknown as Ctx["rooms"] } };
}

describe("the rooms", () => {
  it("are told of every start and end, the old end before the new start, and of an end again until they have heard it", async () => {
    const host = await createUser();
    const { ctx, heard } = listening(host);
    const [a, b] = [unique("a"), unique("b")];
    const first = await startSession(ctx, { roomId: a });
    await settleBackground();
    const second = await startSession(ctx, { roomId: b });
    await settleBackground();
    await endSession(ctx, { sessionId: second.id });
    await endSession(ctx, { sessionId: second.id });
    await hearEnds(ctx, [{ part: 1, sessionId: second.id, users: [], guests: [] }]);
    await endSession(ctx, { sessionId: second.id });
    await settleBackground();
    const news = (roomId: string, { id }: { id: number }, state: string) => [
      `live:${roomId}`,
      {
        roomId,
        hostId: host.userId,
        hostName: expect.stringMatching(/^Uji/),
        sessionId: id,
        state,
        ...(state === "started" && { address: null, askedAt: expect.any(Number) }),
      },
    ];
    expect(heard).toEqual([
      news(a, first, "started"),
      news(a, first, "ended"),
      news(b, second, "started"),
      news(b, second, "ended"),
      news(b, second, "ended"),
    ]);
  });

  it("are asked for proof before the sweep ends what lapsed, and told of its end", async () => {
    const host = await createUser();
    const { ctx, heard } = listening(host);
    const roomId = unique("a");
    const { id: sessionId } = await startSession(ctx, { roomId });
    await back(sessionId, 20);
    await renew(host, roomId);
    await back(sessionId, 100);
    await endLapsedSessions(ctx);
    await settleBackground();
    const hostName = expect.stringMatching(/^Uji/);
    const news = { roomId, hostId: host.userId, hostName, sessionId };
    const mine = heard.filter((one) => JSON.stringify(one).includes(roomId));
    expect(mine).toEqual([
      [`live:${roomId}`, { ...news, state: "started", address: null, askedAt: expect.any(Number) }],
      [`live:${roomId}`, "proof"],
      [`live:${roomId}`, { ...news, state: "ended" }],
    ]);
  });
});

describe("GET /api/live-session/:roomId/viewers", () => {
  it("answers under both of its paths, also for a room that nobody knows", async () => {
    for (const base of ["/api", "/api/api"]) {
      const room = encodeURIComponent(unique("ruang / "));
      expect(told(await get(`${base}/live-session/${room}/viewers`))).toEqual({
        status: 200,
        body: { success: true, data: [] },
      });
      const { headers } = await get(`${base}/live-session/${room}/viewers`);
      expect(headers.get("cache-control")).toBe("public, max-age=2");
      const long = await get(`${base}/live-session/${"x".repeat(101)}/viewers`);
      expect([long.status, long.headers.get("cache-control")]).toEqual([400, "no-store"]);
    }
  });

  it("names each picture under both of the app's keys", async () => {
    const { ctx, viewer } = listening(await createUser());
    expect(await listViewers(ctx, "r")).toEqual([{ ...viewer, avatar_url: viewer.avatar }]);
  });
});
