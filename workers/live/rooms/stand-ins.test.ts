import { describe, expect, it } from "vitest";
import { guest, join, leave, onStage, type Stage, user } from "../testing/stage.ts";
import { HOST_GRACE_MS } from "./hosting.ts";

const HOME = "203.0.113.7";

const started = (stage: Stage, hostId: number, address: string | null = HOME) =>
  stage.room.tellLive({
    ...{ roomId: stage.room.roomId, hostId, hostName: "Ibu", sessionId: hostId * 10 },
    ...{ state: "started", address },
  });

/** The app's host screen: no token, no id, and the name that it has before its profile is there. */
const hostScreen = (socket: string, address: string | null = HOME) => ({
  ...guest("Loading..."),
  ...{ key: `g:#${socket}`, address },
});

const duties = (stage: Stage) =>
  stage.hosting.due(stage.room.isHere, stage.now).map(({ kind, live }) => [kind, live.hostId]);

describe("the socket of a host whose app sends no token", () => {
  it("is known by his address, whether it comes before or after the start", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", hostScreen("a")));
      started(stage, 9);
      expect(duties(stage)).toEqual([["renew", 9]]);
      expect(stage.room.viewerCount).toBe(0);
      expect(stage.room.viewers()).toEqual([]);
    }));

  it("is waited for as one with a token is, also through an eviction", () =>
    onStage("live", async (stage) => {
      started(stage, 9);
      await stage.do("s1", join("a", hostScreen("a")));
      expect(duties(stage)).toEqual([["renew", 9]]);
      stage.evict();
      expect(duties(stage)).toEqual([["renew", 9]]);
      await stage.do("s1", leave("a"));
      expect(duties(stage)).toEqual([]);
      stage.now += HOST_GRACE_MS;
      expect(duties(stage)).toEqual([["end", 9]]);
    }));

  it("may name its host's number, but no other's", () =>
    onStage("live", async (stage) => {
      started(stage, 9);
      const named = (id: number) => ({ ...hostScreen("a"), key: `g:${id}:Loading...` });
      await stage.do("s1", join("a", named(8)));
      expect(duties(stage)).toEqual([]);
      await stage.do("s1", join("a", named(9)));
      expect(duties(stage)).toEqual([["renew", 9]]);
      await stage.do("s1", join("a", named(7)));
      expect(duties(stage)).toEqual([]);
    }));

  it.each([
    ["of another address", HOME, "203.0.113.8"],
    ["of no address", HOME, null],
    ["for a start of no address", null, HOME],
    ["where neither has one", null, null],
  ])("is not any socket %s", (_, start, socket) =>
    onStage("live", async (stage) => {
      started(stage, 9, start);
      await stage.do("s1", join("a", hostScreen("a", socket)));
      expect(duties(stage)).toEqual([]);
      expect(stage.hosting.next(stage.room.isHere)).toBeNull();
      expect(stage.room.viewerCount).toBe(1);
    }),
  );

  it("stands for all hosts of his address and is one person: nobody is counted twice", () =>
    onStage("live", async (stage) => {
      for (const hostId of [7, 8, 9]) started(stage, hostId);
      await stage.do("s1", join("a", hostScreen("a")));
      expect(duties(stage)).toEqual([7, 8, 9].map((hostId) => ["renew", hostId]));
      expect(stage.room.viewerCount).toBe(0);
      await stage.do("s1", join("b", hostScreen("b")), join("c", guest("Ana")));
      expect(stage.room.viewerCount).toBe(1);
    }));

  it("gives way to the host's own also where a renewal was under way meanwhile", () =>
    onStage("live", async (stage) => {
      started(stage, 9);
      await stage.do("s1", join("a", hostScreen("a")));
      const [before] = stage.hosting.list();
      await stage.do("s1", join("h", user(9)));
      if (before) stage.hosting.renewed(before, stage.now);
      expect(stage.hosting.find(9)?.isVerified).toBe(true);
    }));

  it("counts for nothing once the host was there with a token: his own socket decides", () =>
    onStage("live", async (stage) => {
      started(stage, 9);
      await stage.do("s1", join("a", hostScreen("a")), join("h", user(9)));
      expect(stage.room.viewerCount).toBe(1);
      await stage.do("s1", leave("h"));
      stage.evict();
      stage.now += HOST_GRACE_MS;
      expect(duties(stage)).toEqual([["end", 9]]);
    }));
});
