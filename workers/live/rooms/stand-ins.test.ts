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
  stage.hosting
    .due(stage.room, stage.now)
    .filter(({ kind, live }) => kind === "end" || stage.room.isHere(live.hostId))
    .map(({ kind, live }) => [kind, live.hostId])
    .sort(([, a], [, b]) => Number(a) - Number(b));

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

  it("costs a crowd from his own address nothing: who comes and goes there is not looked up among all", () =>
    onStage("live", async (stage) => {
      started(stage, 9);
      await stage.do("s1", join("a", hostScreen("a")));
      const { members } = stage;
      let looks = 0;
      const guestsFrom = members.guestsFrom.bind(members);
      members.guestsFrom = (address) => {
        looks += 1;
        return guestsFrom(address);
      };
      const viewer = (i: number) => ({ ...hostScreen(""), key: `g:${i}:Ana` });
      for (let i = 20; i < 40; i += 1) await stage.do("s1", join(`v${i}`, viewer(i)));
      await stage.do("s1", leave("v20"));
      expect([looks, stage.room.viewerCount, stage.room.isHere(9)]).toEqual([0, 19, true]);
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
      expect(stage.room.isHere(9)).toBe(false);
      expect(stage.room.viewerCount).toBe(1);
    }),
  );

  it("stands for one host of his address, the latest, and is no viewer", () =>
    onStage("live", async (stage) => {
      for (const hostId of [7, 8, 9]) {
        started(stage, hostId);
        stage.now += 1;
      }
      await stage.do("s1", join("a", hostScreen("a")));
      expect(duties(stage)).toEqual([["renew", 9]]);
      expect(stage.room.viewerCount).toBe(0);
      await stage.do("s1", join("b", hostScreen("b")), join("c", guest("Ana")));
      expect(duties(stage)).toEqual([
        ["renew", 8],
        ["renew", 9],
      ]);
      expect(stage.room.viewerCount).toBe(1);
    }));

  it("proves his own host alone: of two behind one address each ends with his own socket", () =>
    onStage("live", async (stage) => {
      for (const hostId of [7, 8]) {
        await stage.do("s1", join(`h${hostId}`, hostScreen(`h${hostId}`)));
        started(stage, hostId);
      }
      expect(duties(stage)).toHaveLength(2);
      await stage.do("s1", leave("h7"));
      stage.evict();
      stage.now += HOST_GRACE_MS - 1;
      expect(duties(stage)).toEqual([["renew", 8]]);
      stage.now += 1;
      expect(duties(stage)).toEqual([
        ["end", 7],
        ["renew", 8],
      ]);
      await stage.do("s1", join("again", hostScreen("again")));
      expect(duties(stage)).toEqual([
        ["renew", 7],
        ["renew", 8],
      ]);
    }));

  it("is followed by his next one, which came before the first was known to be lost", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", hostScreen("a")));
      started(stage, 9);
      await stage.do("s1", join("b", hostScreen("b")), leave("a"));
      stage.now += HOST_GRACE_MS;
      expect(duties(stage)).toEqual([["renew", 9]]);
      expect(stage.room.viewerCount).toBe(0);
    }));

  it("who names his host takes his place, and lets another stand for another", () =>
    onStage("live", async (stage) => {
      started(stage, 9);
      await stage.do("s1", join("a", hostScreen("a")));
      started(stage, 8);
      expect(duties(stage)).toEqual([["renew", 9]]);
      await stage.do("s1", join("b", { ...hostScreen("b"), key: "g:9:Ibu" }));
      expect(duties(stage)).toEqual([
        ["renew", 8],
        ["renew", 9],
      ]);
      await stage.do("s1", leave("b"));
      stage.now += HOST_GRACE_MS;
      expect(duties(stage)).toEqual([
        ["renew", 8],
        ["end", 9],
      ]);
    }));

  it("gives way to the host's own also where a renewal was under way meanwhile", () =>
    onStage("live", async (stage) => {
      started(stage, 9);
      await stage.do("s1", join("a", hostScreen("a")));
      const [before] = stage.hosting.list();
      await stage.do("s1", join("h", user(9)));
      if (before) stage.hosting.renewed(before, { isHere: true, upTo: 0 }, stage.now);
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
