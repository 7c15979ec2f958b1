import { describe, expect, it } from "vitest";
import { guest, join, leave, onStage, START, type Stage, user } from "../testing/stage.ts";
import { HOST_GRACE_MS } from "./hosting.ts";
import type { GuestLine, PersonCard, RoomOp } from "./ops.ts";

const HOME = "203.0.113.7";

const started = (stage: Stage, hostId: number, address: string | null = HOME) =>
  stage.room.tellLive({
    ...{ roomId: stage.room.roomId, hostId, hostName: "Ibu", sessionId: hostId * 10 },
    ...{ state: "started", address },
  });

/** The app's host screen: no token, no id, and the name that it has before its profile is there. */
const hostScreen = (
  socket: string,
  { address = HOME, ...line }: Partial<GuestLine> & { address?: string | null } = {},
): PersonCard => ({
  ...guest("Loading..."),
  ...{ key: `g:#${socket}`, address },
  line: { pid: `p-${socket}`, formerPid: null, at: START, number: null, visitor: null, ...line },
});

/** The app's viewer screen: it claims a number. */
const viewerScreen = (socket: string, id: number) => ({
  ...hostScreen(socket, { number: String(id) }),
  ...{ key: `g:${id}:Ana`, name: "Ana" },
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
      for (let i = 20; i < 40; i += 1) {
        await stage.do("s1", join(`v${i}`, viewerScreen(`v${i}`, i)));
      }
      await stage.do("s1", leave("v20"));
      expect([looks, stage.room.viewerCount, stage.room.isHere(9)]).toEqual([0, 19, true]);
    }));

  it("may name its host's number, but no other's, be it earlier or later", () =>
    onStage("live", async (stage) => {
      started(stage, 9);
      await stage.do("s1", join("a", viewerScreen("a", 8)));
      await stage.do("s1", join("b", hostScreen("b", { number: "7" })));
      expect(duties(stage)).toEqual([]);
      await stage.do("s1", join("c", viewerScreen("c", 9)));
      expect(duties(stage)).toEqual([["renew", 9]]);
      await stage.do("s1", join("c", viewerScreen("c", 7)));
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
      await stage.do("s1", join("a", hostScreen("a", { address: socket })));
      expect(duties(stage)).toEqual([]);
      expect(stage.room.isHere(9)).toBe(false);
      expect(stage.room.viewerCount).toBe(1);
    }),
  );

  it("stands for one host of his address and is no viewer; who went live first had his socket first", () =>
    onStage("live", async (stage) => {
      for (const hostId of [7, 8, 9]) {
        started(stage, hostId);
        stage.now += 1;
      }
      await stage.do("s1", join("a", hostScreen("a")));
      expect(duties(stage)).toEqual([["renew", 7]]);
      expect(stage.room.viewerCount).toBe(0);
      await stage.do("s1", join("b", hostScreen("b")), join("c", guest("Ana")));
      expect(duties(stage)).toEqual([
        ["renew", 7],
        ["renew", 8],
      ]);
      expect(stage.room.viewerCount).toBe(1);
    }));

  it("proves his own host alone: of two who prepare at once behind one address each ends with his own socket", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("old", hostScreen("old")));
      stage.now += 120_000;
      for (const hostId of [7, 8]) {
        await stage.do("s1", join(`h${hostId}`, hostScreen(`h${hostId}`)));
        stage.now += 1_000;
      }
      stage.evict();
      for (const hostId of [7, 8]) started(stage, hostId);
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
    }));

  it("is the one that has watched under its host's number, where there are two", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", hostScreen("a")), join("t", viewerScreen("t", 9)));
      await stage.do("s1", join("b", hostScreen("b", { number: "9" })));
      started(stage, 9);
      expect(stage.hosting.find(9)?.bound).toMatchObject({ socket: "b" });
    }));

  it("rather came in as nobody than as a viewer under its host's number", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("t", viewerScreen("t", 9)), join("a", hostScreen("a")));
      started(stage, 9);
      expect(stage.hosting.find(9)?.bound).toMatchObject({ socket: "a" });
    }));
});

describe("once it has stood for its host", () => {
  const live = async (stage: Stage, socket = "a") => {
    await stage.do("s1", join(socket, hostScreen(socket)));
    started(stage, 9);
    expect(duties(stage)).toEqual([["renew", 9]]);
  };
  const goes = (socket: string, isGoodbye = false) => ({ ...leave(socket), isGoodbye }) as RoomOp;
  const minute = (stage: Stage) => {
    stage.now += HOST_GRACE_MS;
    return duties(stage);
  };

  it("no other guest there holds the live open: not one who is in, nor one who comes, whatever he claims", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("before", hostScreen("before")));
      stage.now += 1_000;
      await live(stage);
      const bound = stage.hosting.find(9)?.bound?.socket ?? "";
      const late = stage.now + 500;
      await stage.do(
        "s1",
        join("in", hostScreen("in", { at: late })),
        join("n", viewerScreen("n", 9)),
      );
      stage.now += 1_000;
      await stage.do("s1", goes(bound));
      stage.evict();
      // The same connection once more, one that names another's secret, one under the host's number.
      await stage.do("s1", goes("in"), join("in", hostScreen("in", { at: late })));
      const at = stage.now;
      await stage.do("s1", join("x", hostScreen("x", { at, formerPid: "s1.x" })));
      await stage.do(
        "s1",
        join("y", viewerScreen("y", 9)),
        join("z", hostScreen("z", { at: at - 1 })),
      );
      expect(stage.room.isHere(9)).toBe(false);
      expect(minute(stage)).toEqual([["end", 9]]);
    }));

  it("its client's next connection does, known by its secret, though the first is not known to be lost, or its address is new", () =>
    onStage("live", async (stage) => {
      await live(stage);
      const next = { address: "198.51.100.4", formerPid: "p-a", at: stage.now };
      await stage.do("s1", join("b", hostScreen("b", next)), goes("a"));
      expect(minute(stage)).toEqual([["renew", 9]]);
      expect(stage.room.viewerCount).toBe(0);
      stage.evict();
      await stage.do("s1", goes("b"), join("c", hostScreen("c", { formerPid: "p-b" })));
      expect(minute(stage)).toEqual([["renew", 9]]);
    }));

  it("a new connection does that knows no secret, from there and under the same claims, after a loss without a goodbye", () =>
    onStage("live", async (stage) => {
      await live(stage);
      stage.now += 5_000;
      await stage.do("s1", goes("a"));
      stage.now += 1_000;
      await stage.do("s1", join("b", { ...hostScreen("b", { at: stage.now }), name: "Tamu" }));
      expect(stage.room.isHere(9)).toBe(false);
      await stage.do("s1", join("c", hostScreen("c", { at: stage.now })));
      expect(minute(stage)).toEqual([["renew", 9]]);
      await stage.do("s1", goes("c", true), join("d", hostScreen("d", { at: stage.now })));
      expect(minute(stage)).toEqual([["end", 9]]);
    }));

  it("it goes on under its number as the app says it after a reconnect, but not on the screen of a viewer", () =>
    onStage("live", async (stage) => {
      await live(stage);
      await stage.do("s1", join("a", viewerScreen("a", 9), { quiet: true }));
      expect(duties(stage)).toEqual([["renew", 9]]);
      // Its shard was silent, and names it again.
      await stage.do("s1", leave("a"), join("a", viewerScreen("a", 9), { quiet: true }));
      expect(duties(stage)).toEqual([["renew", 9]]);
      await stage.do("s1", goes("a", true), join("a", viewerScreen("a", 9)));
      expect(minute(stage)).toEqual([["end", 9]]);
      expect(stage.room.viewerCount).toBe(1);
    }));

  it("it leaves and comes back to its screen, as itself", () =>
    onStage("live", async (stage) => {
      await live(stage);
      await stage.do("s1", goes("a", true), join("a", hostScreen("a")));
      expect(minute(stage)).toEqual([["renew", 9]]);
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
