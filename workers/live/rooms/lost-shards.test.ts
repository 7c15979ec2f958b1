import { describe, expect, it } from "vitest";
import { join, leave, onStage, say, user } from "../testing/stage.ts";
import { PRESENCE_MS } from "./members.ts";

describe("a shard that lost something", () => {
  it("has those leave whom it no longer holds, and learns whom the room does not know", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)), join("b", user(2)));
      expect(stage.room.reconcile("s1", ["b", "c"])).toEqual(["c"]);
      expect(stage.room.viewers().map(({ id }) => id)).toEqual([2]);
    }));

  it("dies without a word: its sockets leave within ping interval and time-out, those of a living one stay", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)));
      await stage.do("s2", join("b", user(2)));
      expect(PRESENCE_MS).toBeLessThanOrEqual(25_000 + 20_000);
      stage.now += PRESENCE_MS - 1;
      stage.room.sweep();
      expect(stage.room.viewerCount).toBe(2);
      stage.room.reconcile("s2", ["b"]);
      stage.now += 1;
      expect(stage.members.nextLapse()).toBeLessThanOrEqual(stage.now);
      stage.room.sweep();
      expect(stage.room.viewers().map(({ id }) => id)).toEqual([2]);
      expect(stage.members.nextLapse()).toBeGreaterThan(stage.now);
    }));

  it("that goes on with others takes no ghost along: joins prove nothing of the sockets before them", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("ghost", user(1)));
      for (let i = 0; i < 4; i += 1) {
        stage.now += PRESENCE_MS / 5;
        await stage.do("s1", join(`k${i}`, user(2)), leave(`k${i}`));
      }
      stage.now += PRESENCE_MS / 5;
      stage.room.sweep();
      expect(stage.room.viewerCount).toBe(0);
      await stage.do("s1", join("late", user(3)));
      stage.now += PRESENCE_MS - 1;
      stage.evict();
      stage.room.sweep();
      expect(stage.room.viewers().map(({ id }) => id)).toEqual([3]);
    }));

  it("still hears what is said when its sockets lapsed: it may only have been late to name them", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("late", user(1)));
      stage.now += PRESENCE_MS;
      stage.room.sweep();
      await stage.do("s2", join("b", user(2)));
      stage.said();
      await stage.do("s2", say("b", user(2), "halo"));
      expect(stage.said("live:new-message").map(({ shard }) => shard)).toEqual(["s1", "s2"]);
    }));

  it("gets no more news once it says that nobody there wants them", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", user(1)));
      await stage.do("s2", join("b", user(2)), leave("b"));
      stage.wanted = false;
      await stage.do("s1", say("a", user(1), "satu"));
      stage.said();
      await stage.do("s1", say("a", user(1), "dua"));
      expect(stage.said("live:new-message").map(({ shard }) => shard)).toEqual(["s1"]);
    }));
});
