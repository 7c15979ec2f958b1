import { describe, expect, it } from "vitest";
import { guest, join, leave, onStage, type Stage, user } from "../testing/stage.ts";
import type { LiveNews } from "./news.ts";

type State = LiveNews["state"];

const tell = (stage: Stage, hostId: number, state: State, sessionId = hostId * 10) =>
  stage.room.tellLive({
    ...{ roomId: stage.room.roomId, hostId, sessionId, state, hostName: `Host ${hostId}` },
  });

/** Each start of a host is another session, to which his next end belongs. */
const lives = (news: [number, State][], at: number) => {
  const [host] = news[at] ?? [0];
  const starts = news.slice(0, at + 1).filter(([id, state]) => id === host && state === "started");
  return host * 10 + starts.length;
};

/** What a room with one viewer is told of, as `[event, host]`. */
async function toldOf(stage: Stage, news: [number, State][]) {
  await stage.do("s1", join("a", guest("Ana")));
  stage.said();
  const isShown = news.map(
    ([hostId, state], i) => tell(stage, hostId, state, lives(news, i)).isShown,
  );
  await stage.settle();
  const told = stage.said().filter(({ name }) => /^live:(started|ended)$/.test(name));
  return { isShown, told: told.map(({ name, payload }) => [name, payload.hostId]) };
}

describe("the start and the end of a live", () => {
  it("name the host", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("a", guest("Ana")));
      expect(tell(stage, 9, "started")).toMatchObject({ isNews: true, isShown: true });
      await stage.settle();
      expect(stage.said("live:started")[0]?.payload).toMatchObject({
        ...{ roomId: stage.room.roomId, sessionId: 90, hostId: 9, userId: 9 },
        ...{ username: "Host 9", timestamp: expect.stringMatching(/Z$/) },
      });
    }));

  it("of one host after another are told", () =>
    onStage("live", async (stage) => {
      const { told } = await toldOf(stage, [
        [9, "started"],
        [9, "ended"],
        [8, "started"],
        [8, "ended"],
      ]);
      expect(told).toEqual([
        ["live:started", 9],
        ["live:ended", 9],
        ["live:started", 8],
        ["live:ended", 8],
      ]);
    }));

  it("in a room that several hosts share end nobody else's: told when it goes live and when it is dark", () =>
    onStage("live", async (stage) => {
      const { told, isShown } = await toldOf(stage, [
        [9, "started"],
        [8, "started"],
        [8, "ended"],
        [7, "started"],
        [9, "ended"],
        [7, "ended"],
      ]);
      expect(told).toEqual([
        ["live:started", 9],
        ["live:ended", 7],
      ]);
      expect(isShown).toEqual([true, false, false, false, false, true]);
    }));

  it("of a stranger in a host's own room are told to nobody, and hide none of his", () =>
    onStage("live", async (stage) => {
      const name = "live:room_9";
      const own = Object.assign(stage, { name });
      own.evict();
      const { told } = await toldOf(own, [
        [8, "started"],
        [9, "started"],
        [8, "ended"],
        [8, "started"],
        [9, "ended"],
      ]);
      expect(told).toEqual([
        ["live:started", 9],
        ["live:ended", 9],
      ]);
    }));
});

describe("the number of viewers", () => {
  it("leaves out who hosts here, from his start to his end, and counts a host of elsewhere", () =>
    onStage("live", async (stage) => {
      const [own] = await stage.do("s1", join("h", user(9)));
      expect(own).toMatchObject({ count: 1 });
      tell(stage, 9, "started");
      const [first] = await stage.do("s1", join("a", guest("Ana")));
      expect(first).toMatchObject({ count: 1 });
      await stage.do("s1", join("b", user(8)));
      expect(stage.room.viewerCount).toBe(2);
      expect(stage.room.viewers().map(({ name }) => name)).toEqual(["U8", "Ana"]);
      stage.evict();
      expect(stage.room.viewerCount).toBe(2);
      await stage.do("s1", leave("h"));
      expect(stage.room.viewerCount).toBe(2);
      await stage.do("s1", join("h", user(9)));
      tell(stage, 9, "ended");
      expect(stage.room.viewerCount).toBe(3);
    }));

  it("is told anew when somebody who is here goes live", () =>
    onStage("live", async (stage) => {
      await stage.do("s1", join("h", user(9)), join("a", guest("Ana")));
      stage.evict();
      stage.said();
      tell(stage, 9, "started");
      await stage.settle();
      expect(stage.said("live:viewer-count")[0]?.payload).toEqual({ count: 1 });
    }));
});
