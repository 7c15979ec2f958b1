import { describe, expect, it } from "vitest";
import { guest, join, leave, onStage, type Stage, user } from "../testing/stage.ts";
import { RENEW_MS } from "./hosting.ts";

const tell = (stage: Stage, hostId: number, state: "started" | "ended", sessionId = hostId * 10) =>
  stage.room.tellLive({
    ...{ roomId: stage.room.roomId, hostId, hostName: "Ibu", sessionId, state },
  });

/** What is due of word, as it would go out: who came to which live. */
const words = (stage: Stage) => {
  const given = stage.hosting.due(stage.room, stage.now).flatMap((duty) => {
    if (duty.kind !== "renew") return [];
    const { users, guests } = stage.turnout.wordOf(duty.live);
    return [[duty.live.hostId, ...users.sort(), ...guests.sort()]];
  });
  return given.sort(([a], [b]) => Number(a) - Number(b));
};

/** The word arrives of all that is due. */
function arrive(stage: Stage): void {
  for (const duty of stage.hosting.due(stage.room, stage.now)) {
    if (duty.kind !== "renew") continue;
    const { upTo } = stage.turnout.wordOf(duty.live);
    stage.hosting.renewed(duty.live, { ...duty, upTo }, stage.now);
  }
  stage.turnout.forgetTold();
}

describe("word of a live", () => {
  it("names who was there at its start and who came since, users and guests, through evictions", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("h", user(9)), join("a", user(1)), join("g", guest("Ana")));
      tell(stage, 9, "started");
      await stage.do("s1", join("b", user(2)), leave("b"), leave("g"));
      stage.evict();
      expect(words(stage)).toEqual([[9, 1, 2, "g:Ana"]]);
      arrive(stage);
      stage.evict();
      stage.now += RENEW_MS;
      expect(words(stage)).toEqual([[9]]);
      await stage.do("s1", join("c", guest("Budi")), leave("c"));
      stage.evict();
      expect(words(stage)).toEqual([[9, "g:Budi"]]);
    }));

  it("that does not arrive is given again", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("h", user(9)));
      tell(stage, 9, "started");
      arrive(stage);
      await stage.do("s1", join("a", user(1)));
      stage.now += RENEW_MS;
      expect(words(stage)).toEqual([[9, 1]]);
      expect(words(stage)).toEqual([[9, 1]]);
      const [duty] = stage.hosting.due(stage.room, stage.now);
      const { upTo = 0 } = duty ? stage.turnout.wordOf(duty.live) : {};
      await stage.do("s1", join("b", user(2)));
      if (duty) stage.hosting.renewed(duty.live, { isHere: true, upTo }, stage.now);
      stage.now += RENEW_MS;
      expect(words(stage)).toEqual([[9, 2]]);
    }));

  it("of two in one room is given by each, and who comes again comes to a later one too", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("h", user(9)), join("i", user(8)));
      tell(stage, 9, "started");
      await stage.do("s1", join("a", user(1)), leave("a"));
      tell(stage, 8, "started");
      await stage.do("s1", join("b", user(2)), leave("b"));
      await stage.do("s1", join("a", user(1)), leave("a"));
      expect(words(stage)).toEqual([
        [8, 1, 2, 9],
        [9, 1, 2, 8],
      ]);
    }));

  it("is given also while its host is away, as soon as somebody came", () =>
    onStage("live", async (stage) => {
      tell(stage, 9, "started");
      expect(stage.hosting.next(stage.room)).toBeNull();
      await stage.do("s1", join("a", user(1)), leave("a"));
      expect(stage.hosting.next(stage.room)).not.toBeNull();
      expect(words(stage)).toEqual([[9, 1]]);
      arrive(stage);
      stage.now += RENEW_MS;
      expect(stage.hosting.next(stage.room)).toBeNull();
    }));

  it("is its last one, kept until it was handed in, when it ends in whatever way, its host there or not", () =>
    onStage("live", async (stage) => {
      tell(stage, 9, "started");
      await stage.do("s1", join("a", user(1)), leave("a"), join("g", guest("Ana")), leave("g"));
      expect(tell(stage, 9, "ended")).toMatchObject({ isNews: true, hasLastWord: true });
      stage.evict();
      const last = stage.turnout.lastWords();
      expect(last).toEqual([{ part: 1, sessionId: 90, users: [1], guests: ["g:Ana"] }]);
      stage.turnout.handedIn(last);
      expect(stage.turnout.hasLastWords).toBe(false);
    }));

  it("is kept of a live that another start of its host ends, before it, and belongs to that one alone", () =>
    onStage("live", async (stage) => {
      tell(stage, 9, "started", 50);
      await stage.do("s1", join("a", user(1)), leave("a"));
      tell(stage, 9, "started", 51);
      expect(stage.turnout.lastWords()).toMatchObject([{ sessionId: 50, users: [1] }]);
      await stage.do("s1", join("b", user(2)), leave("b"));
      expect(words(stage)).toEqual([[9, 2]]);
    }));

  it("is not lost to a slow hand-in of another's, whose number it has by now", () =>
    onStage("live", async (stage) => {
      tell(stage, 9, "started");
      tell(stage, 8, "started");
      await stage.do("s1", join("a", user(1)), leave("a"));
      tell(stage, 9, "ended");
      const slow = stage.turnout.lastWords();
      stage.turnout.handedIn(stage.turnout.lastWords());
      tell(stage, 8, "ended");
      stage.turnout.handedIn(slow);
      expect(stage.turnout.lastWords()).toMatchObject([{ sessionId: 80, users: [1] }]);
    }));

  it("leaves out its host and who stands for him, and comes in parts where many came", () =>
    onStage("live", async (stage) => {
      const screen = { ...guest("x"), key: "g:#s", address: "203.0.113.7" };
      const news = { roomId: stage.room.roomId, hostId: 9, hostName: "Ibu", sessionId: 90 };
      stage.room.tellLive({ ...news, state: "started", address: screen.address });
      for (let i = 1; i <= 5_002; i += 1) stage.turnout.came(`u:${i}`);
      await stage.do("s1", join("h", screen));
      tell(stage, 9, "ended");
      const parts = stage.turnout.lastWords();
      expect(parts.map(({ users, guests }) => [users.length, guests])).toEqual([
        [5_000, []],
        [1, []],
      ]);
      expect(parts.flatMap(({ users }) => users)).not.toContain(9);
    }));
});
