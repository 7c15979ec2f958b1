import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ObjectTables } from "../object-tables.ts";
import { guest, join, leave, onStage, START, type Stage, say, user } from "../testing/stage.ts";
import { HOST_GRACE_MS, RENEW_MS } from "./hosting.ts";
import { KEPT_MESSAGES, Messages } from "./messages.ts";
import type { RoomOp } from "./ops.ts";
import { ROOM_TABLES } from "./tables.ts";

describe("who is in a live room", () => {
  it("counts people, not sockets: a second tab and a re-join change nothing and announce nobody", () =>
    onStage("live", async (stage) => {
      const [first] = await stage.do("s1", join("a", user(1)));
      expect(first).toMatchObject({ ok: true, count: 1, isNew: true });
      await stage.do("s2", join("b", guest("Budi")));
      stage.said();
      const again = await stage.do("s1", join("a", user(1)), join("a2", user(1)));
      expect(again).toMatchObject([1, 2].map(() => ({ ok: true, count: 2, isNew: false })));
      expect(stage.said("live:user-joined")).toEqual([]);
      await stage.do("s1", leave("a2"));
      expect(stage.said()).toEqual([]);
      expect(stage.room.viewerCount).toBe(2);
    }));

  it("tells the others who came and went, and every shard the number of people", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)));
      const [count] = stage.said("live:viewer-count");
      expect(count).toMatchObject({ shard: "s1", payload: { count: 1 } });
      await stage.do("s2", join("b", guest("Budi")));
      const came = stage.said("live:user-joined");
      expect(came.map(({ shard, except }) => [shard, except])).toEqual([
        ["s1", "b"],
        ["s2", "b"],
      ]);
      expect(came[0]?.payload).toMatchObject({
        ...{ userId: null, username: "Budi", level: 1, verified: false },
      });
      await stage.do("s1", leave("a"));
      expect(stage.said("live:user-left")[0]?.payload).toMatchObject({ userId: 1, username: "U1" });
    }));

  it("keeps its members through an eviction", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)), join("b", user(2)));
      stage.evict();
      expect(stage.room.viewerCount).toBe(2);
      stage.said();
      await stage.do("s1", say("a", user(1), "masih di sini"));
      expect(stage.said("live:new-message")).toHaveLength(1);
    }));

  it("shows everybody once, users before guests, and no claimed id of a guest", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("g", guest("Ana")), join("a", user(1)), join("a2", user(1)));
      const viewers = stage.room.viewers();
      expect(viewers.map(({ name, verified }) => [name, verified])).toEqual([
        ["U1", true],
        ["Ana", false],
      ]);
      expect(viewers[1]?.id).toMatch(/^guest-/);
    }));

  it("leaves a rush of newcomers to the number: no flood of names, one count at once and one at the end", () =>
    onStage("live", async (stage) => {
      for (let i = 1; i <= 1_000; i += 1) stage.room.apply("s1", [join(`k${i}`, user(i))]);
      await stage.settle();
      const names = stage.said();
      expect(names.filter(({ name }) => name === "live:user-joined").length).toBeLessThan(60);
      expect(names.filter(({ name }) => name === "live:viewer-count")).toHaveLength(1);
      expect(stage.room.viewerCount).toBe(1_000);
    }));
});

describe("chat", () => {
  it("reaches every shard once, not its sender, in the room's own words about him", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)));
      await stage.do("s2", join("b", user(2)));
      stage.said();
      await stage.do("s1", say("a", user(1), "halo"));
      const said = stage.said("live:new-message");
      expect(said.map(({ shard, except }) => [shard, except])).toEqual([
        ["s1", "a"],
        ["s2", "a"],
      ]);
      expect(said[0]?.payload).toEqual({
        ...{ roomId: stage.room.roomId, userId: 1, username: "U1", avatar: null, level: 7, vip: 1 },
        ...{ verified: true, message: "halo", timestamp: new Date(START).toISOString() },
      });
    }));

  it("takes into a live room who speaks in it, because the app does not join again after a reconnect", () =>
    onStage("live", async (stage) => {
      const [reply] = await stage.do("s1", say("a", guest("Budi"), "halo"));
      expect(reply).toMatchObject({ ok: true, count: 1 });
    }));

  it("keeps the last 100 messages, oldest first, through an eviction", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)));
      const total = KEPT_MESSAGES + 20;
      for (let i = 1; i <= total; i += 1) stage.room.apply("s1", [say("a", user(1), `m${i}`)]);
      stage.timeComes();
      stage.evict();
      stage.room.apply("s1", [say("a", user(1), "terakhir")]);
      stage.timeComes();
      await stage.settle();
      const kept = await lastMessages(stage);
      expect(kept).toHaveLength(KEPT_MESSAGES);
      expect([kept[0], kept.at(-1)]).toEqual(["m22", "terakhir"]);
    }));
});

describe("a message that was just said", () => {
  it("is heard before it is written: an eviction within the second loses it, and who is in the room stays in", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)), say("a", user(1), "lama"));
      stage.timeComes();
      stage.said();
      await stage.do("s1", say("a", user(1), "baru"));
      expect(stage.said("live:new-message")[0]?.payload).toMatchObject({ message: "baru" });
      expect(await lastMessages(stage)).toEqual(["lama"]);
      stage.evict();
      expect(stage.room.viewerCount).toBe(1);
    }));

  it("costs one write with all that were said in the same second", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)), say("a", user(1), "awal"));
      const write = vi.spyOn(ObjectTables.prototype, "write");
      onTestFinished(() => write.mockRestore());
      for (let i = 0; i < 50; i += 1) stage.room.apply("s1", [say("a", user(1), `m${i}`)]);
      expect(write).not.toHaveBeenCalled();
      stage.timeComes();
      stage.timeComes();
      expect(write).toHaveBeenCalledOnce();
      expect(await lastMessages(stage)).toHaveLength(51);
    }));
});

/** What a fresh object would read. */
async function lastMessages(stage: Stage): Promise<string[]> {
  const stub = env.ROOM.getByName(stage.name);
  return await runInDurableObject(stub, (_, state) => {
    const tables = new ObjectTables(state.storage, ROOM_TABLES);
    tables.open();
    return new Messages(tables).list().map((json) => JSON.parse(json).message);
  });
}

describe("a party room", () => {
  it("gives a seat to one person, and lets him sit there from two tabs", () =>
    onStage("party", async (stage) => {
      const [first] = await stage.do("s1", join("a", user(1), { seat: 3 } as Partial<RoomOp>));
      expect(first).toMatchObject({ ok: true });
      expect(stage.said("party:user-joined")[0]?.payload).toMatchObject({ userId: 1, seat: 3 });
      const [second] = await stage.do("s1", join("b", user(2), { seat: 3 } as Partial<RoomOp>));
      expect(second).toMatchObject({ ok: false, code: "conflict" });
      const [again] = await stage.do("s1", join("a2", user(1), { seat: 3 } as Partial<RoomOp>));
      expect(again).toMatchObject({ ok: true });
    }));

  it("shows a seat that one of a person's tabs left, and who came back without a word of his own", () =>
    onStage("party", async (stage) => {
      const seated = (seat: number) => ({ seat }) as Partial<RoomOp>;
      await stage.do("s1", join("a", user(1), seated(3)), join("b", user(1)));
      stage.said();
      await stage.do("s1", leave("a"));
      expect(
        stage.said().map(({ name, payload: { userId, seat } }) => [name, userId, seat]),
      ).toEqual([["party:user-joined", 1, null]]);
      await stage.do("s1", join("c", user(2), { ...seated(3), quiet: true } as Partial<RoomOp>));
      await stage.do("s1", join("c", user(2), { ...seated(3), quiet: true } as Partial<RoomOp>));
      expect(stage.said("party:user-joined")).toMatchObject([{ payload: { userId: 2, seat: 3 } }]);
    }));

  it("shows a person on the seat that another of his tabs keeps or has, when one of them goes", () =>
    onStage("party", async (stage) => {
      const seated = (seat: number) => ({ seat }) as Partial<RoomOp>;
      await stage.do("s1", join("a", user(1), seated(3)), join("b", user(1)));
      await stage.do("s1", join("c", user(1), seated(3)), join("d", user(1), seated(5)));
      stage.said();
      await stage.do("s1", leave("a"));
      expect(stage.said()).toEqual([]);
      await stage.do("s1", leave("c"));
      expect(stage.said()).toMatchObject([{ payload: { userId: 1, seat: 5 } }]);
    }));

  it("hears only its members", () =>
    onStage("party", async (stage) => {
      await stage.do("s1", join("a", user(1)));
      const [reply] = await stage.do("s1", say("x", user(2), "halo"));
      expect(reply).toMatchObject({ ok: false, code: "forbidden" });
      expect(stage.said("party:new-message")).toEqual([]);
      await stage.do("s1", say("a", user(1), "halo"));
      const [heard] = stage.said("party:new-message");
      expect(heard).toMatchObject({ except: null, payload: { message: "halo" } });
    }));

  it("never counts viewers aloud", () =>
    onStage("party", async (stage) => {
      await stage.do("s1", join("a", user(1)));
      expect(stage.said("live:viewer-count")).toEqual([]);
    }));
});

describe("a live's host", () => {
  const started = (stage: Stage, sessionId: number) =>
    stage.room.tellLive({
      ...{ roomId: stage.room.roomId, hostId: 9, hostName: "Ibu", sessionId, state: "started" },
    });

  it("is known by his verified id alone: a guest of the same name proves nothing", () =>
    onStage("live", async (stage) => {
      started(stage, 50);
      await stage.do("s1", join("g", guest("9")));
      expect(stage.room.isHere(9)).toBe(false);
      expect(stage.hosting.due(stage.room, stage.now)).toMatchObject([{ isHere: false }]);
    }));

  it("has his lease renewed as soon as he comes and every 25 s while he is there", () =>
    onStage("live", async (stage) => {
      started(stage, 50);
      await stage.do("s1", join("h", user(9)));
      const [duty] = stage.hosting.due(stage.room, stage.now);
      expect(duty).toMatchObject({ kind: "renew", live: { hostId: 9, sessionId: 50 } });
      if (duty) stage.hosting.renewed(duty.live, { isHere: true, upTo: 0 }, stage.now);
      expect(stage.hosting.due(stage.room, stage.now)).toEqual([]);
      expect(stage.hosting.next(stage.room)).toBe(stage.now + RENEW_MS);
    }));

  it("is waited for 60 s after his last socket went, also through an eviction, and not longer", () =>
    onStage("live", async (stage) => {
      started(stage, 50);
      await stage.do("s1", join("h", user(9)), leave("h"));
      stage.evict();
      expect(stage.hosting.next(stage.room)).toBe(stage.now + HOST_GRACE_MS);
      stage.now += HOST_GRACE_MS - 1;
      expect(stage.hosting.due(stage.room, stage.now)).toEqual([]);
      stage.now += 1;
      expect(stage.hosting.due(stage.room, stage.now)).toMatchObject([{ kind: "end" }]);
    }));

  it("is told of to the room at start and end, once, however late and often either word comes", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)));
      started(stage, 50);
      started(stage, 51);
      const ended = (sessionId: number) =>
        stage.room.tellLive({
          ...{ roomId: stage.room.roomId, hostId: 9, hostName: "Ibu", sessionId, state: "ended" },
        });
      expect(ended(50)).toMatchObject({ isNews: false, isShown: false });
      expect(stage.hosting.find(9)?.sessionId).toBe(51);
      expect(ended(51)).toMatchObject({ isNews: true, isShown: true });
      started(stage, 51);
      expect(ended(51)).toMatchObject({ isNews: false, isShown: false });
      await stage.settle();
      const told = stage.said().filter(({ name }) => name.startsWith("live:e"));
      expect(told.map(({ name, payload }) => [name, payload.sessionId])).toEqual([
        ["live:ended", 51],
      ]);
      expect(stage.hosting.find(9)).toBeUndefined();
    }));
});
