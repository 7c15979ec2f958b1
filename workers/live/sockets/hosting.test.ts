import { runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { endLapsedSessions } from "../sessions.ts";
import { sessionOf, timePasses } from "../testing/hosts.ts";
import { goLive, post } from "../testing/people.ts";
import { roomStub } from "../testing/rounds.ts";
import { inLive } from "../testing/socket-client.ts";

const bearer = ({ token }: { token: string }) => ({
  headers: { authorization: `Bearer ${token}` },
});

describe("a live", () => {
  it("is told of at its start and end by the server alone", async () => {
    const roomId = unique();
    const host = await createUser();
    const watcher = await inLive(roomId);
    watcher.emit("live:start", { roomId, hostId: host.userId });
    const sessionId = await goLive(host, roomId);
    const told = {
      roomId,
      sessionId,
      hostId: host.userId,
      username: expect.stringMatching(/^Uji/),
    };
    expect(await watcher.hears("live:started")).toMatchObject(told);
    watcher.emit("live:end", { roomId, hostId: host.userId });
    await watcher.ask("live:message", { roomId, message: "halo" });
    expect(await sessionOf(host)).toMatchObject({ ended: false });
  });

  it("that ends by its host's wish has counted who came until then", async () => {
    const roomId = unique();
    const host = await createUser();
    const sessionId = await goLive(host, roomId);
    await inLive(roomId, bearer(host));
    await runDurableObjectAlarm(roomStub(roomId));
    for (const watcher of [bearer(await createUser()), {}, {}]) await inLive(roomId, watcher);
    const { body } = await post("/api/live-session/end", host, { sessionId });
    expect(body.data).toMatchObject({ total_viewers: 3 });
  });

  it("is proven by its host's verified socket, and by no guest who claims to be him", async () => {
    const roomId = unique();
    const host = await createUser();
    await goLive(host, roomId);
    await inLive(roomId, { userId: host.userId, name: "Host" });
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await sessionOf(host)).toMatchObject({ proven: false });
    await inLive(roomId, bearer(host));
    await runDurableObjectAlarm(roomStub(roomId));
    await expect.poll(() => sessionOf(host)).toMatchObject({ proven: true, viewers: 1 });
  });

  it("beside another in a shared room is told to its host alone, and its end ends no other's", async () => {
    const roomId = unique();
    const [first, second] = [await createUser(), await createUser()];
    await goLive(first, roomId);
    const watcher = await inLive(roomId);
    const [stage, other] = [
      await inLive(roomId, bearer(first)),
      await inLive(roomId, bearer(second)),
    ];
    const sessionId = await goLive(second, roomId);
    expect(await other.hears("live:started")).toMatchObject({ hostId: second.userId, sessionId });
    await post("/api/live-session/end", second, { sessionId });
    expect(await other.hears("live:ended")).toMatchObject({ hostId: second.userId, roomId });
    await stage.ask("live:message", { roomId, message: "lanjut" });
    await watcher.hears("live:new-message");
    const isNews = ({ name }: { name: string }) => /^live:(started|ended)$/.test(name);
    expect([...watcher.heard, ...stage.heard].filter(isNews)).toEqual([]);
  });

  it("goes on for a minute without its host's socket, then ends and is told of, through evictions", async () => {
    const roomId = unique();
    const host = await createUser();
    await goLive(host, roomId);
    const watcher = await inLive(roomId);
    const socket = await inLive(roomId, bearer(host));
    await runDurableObjectAlarm(roomStub(roomId));
    await expect.poll(() => sessionOf(host)).toMatchObject({ proven: true });
    socket.cut();
    await watcher.hears("live:user-left");
    await timePasses(roomId, host, 50);
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await sessionOf(host)).toMatchObject({ ended: false });
    await timePasses(roomId, host, 15);
    await runDurableObjectAlarm(roomStub(roomId));
    await watcher.hears("live:ended");
    expect(await sessionOf(host)).toMatchObject({ ended: true });
  });

  it("does not end when its host is back within the minute", async () => {
    const roomId = unique();
    const host = await createUser();
    await goLive(host, roomId);
    const watcher = await inLive(roomId);
    (await inLive(roomId, bearer(host))).cut();
    await watcher.hears("live:user-left");
    await inLive(roomId, bearer(host));
    await timePasses(roomId, host, 70);
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await sessionOf(host)).toMatchObject({ ended: false });
  });
});

describe("a database that was away for minutes", () => {
  it("ends no live whose host was there all the time, and ends one whose host was not, as of his last proof", async () => {
    const [here, gone] = [await createUser(), await createUser()];
    const rooms = [unique(), unique()] as const;
    await goLive(here, rooms[0]);
    await goLive(gone, rooms[1]);
    await inLive(rooms[0], bearer(here));
    const lost = await inLive(rooms[1], bearer(gone));
    const watcher = await inLive(rooms[1]);
    for (const roomId of rooms) await runDurableObjectAlarm(roomStub(roomId));
    await expect.poll(() => sessionOf(here)).toMatchObject({ proven: true });
    await expect.poll(() => sessionOf(gone)).toMatchObject({ proven: true });
    lost.cut();
    await watcher.hears("live:user-left");
    await timePasses(rooms[0], here, 300);
    await timePasses(rooms[1], gone, 300);
    await endLapsedSessions(testContext());
    await watcher.hears("live:ended");
    expect(await sessionOf(here)).toMatchObject({ ended: false, fresh: true });
    expect(await sessionOf(gone)).toMatchObject({ ended: true, fresh: false });
  });
});
