import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createUser, unique } from "../../testing/factories.ts";
import { giftKey } from "../gifts.ts";
import { ObjectTables } from "../object-tables.ts";
import { coinsOf, createGiver } from "../test-gifts.ts";
import { roomStub } from "../testing/rounds.ts";
import { inLive } from "../testing/socket-client.ts";
import { guest, join, leave, START, Stage, say } from "../testing/stage.ts";
import { HOST_GRACE_MS } from "./hosting.ts";
import type { GuestLine, PersonCard } from "./ops.ts";
import { ROOM_TABLES } from "./tables.ts";

/** The steps that the first release with lives, gifts and visitors in its rooms had made. */
const BEFORE = ROOM_TABLES.slice(0, 7);
const HOME = "aa";

type Rows = Record<string, (string | number | null)[][]>;

/** Rows as that release wrote them, column by column. */
function written(storage: DurableObjectStorage, rows: Rows): void {
  const tables = new ObjectTables(storage, BEFORE);
  for (const [table, lines] of Object.entries(rows)) {
    for (const line of lines) {
      tables.write(`insert into ${table} values (${line.map(() => "?").join(", ")})`, ...line);
    }
  }
}

/** A room of that release: a host without a token (9), who is there, one viewer, and a word of chat. */
const room = (): Rows => ({
  members: [
    ["h", "s1", "g:#h", null, "Loading...", null, 1, 0, null, HOME],
    ["v", "s1", "g:5:Ana", null, "Ana", null, 1, 0, null, "bb"],
    ["u", "s2", "u:7", 7, "Budi", null, 3, 0, null, null],
  ],
  shards: [
    ["s1", START + 150_000, START + 45_000],
    ["s2", START + 150_000, START + 45_000],
  ],
  lives: [[9, 90, START - 60_000, START - 5_000, START - 5_000, HOME, 0, 1, "Ibu", "g:#h", 1]],
  visitors: [
    ["g:5:Ana", 1],
    ["u:7", 2],
  ],
  last_words: [[1, 80, '["g:5:Ana"]']],
  chat: [[1, START - 1_000, '["{\\"message\\":\\"halo\\"}"]']],
  said: [[1, START * 1_000 - 5, 0]],
});

const onOldStage = (rows: Rows, play: (stage: Stage) => Promise<void>) => {
  const name = `live:${unique()}`;
  return runInDurableObject(env.ROOM.getByName(name), (_, { storage }) => {
    written(storage, rows);
    return play(new Stage(storage, name));
  });
};

const screen = (socket: string, line: Partial<GuestLine> = {}): PersonCard => ({
  ...guest("Loading..."),
  ...{ key: `g:#${socket}`, address: HOME },
  line: { pid: `p-${socket}`, formerPid: null, at: START, number: null, visitor: null, ...line },
});

/** A person as that release's shards kept it with a socket. */
function asBefore({ line: _, ...card }: PersonCard): PersonCard {
  return card as PersonCard;
}

describe("a room of the release before", () => {
  it("has its people, its chat and its last words", () =>
    onOldStage(room(), async (stage) => {
      expect(stage.members.people().map(({ key }) => key)).toEqual(["u:7", "g:#h", "g:5:Ana"]);
      expect(stage.turnout.lastWords()).toMatchObject([{ sessionId: 80, guests: ["g:5:Ana"] }]);
      await stage.do("s1", say("v", { ...guest("Ana"), key: "g:5:Ana" }, "lagi"));
      expect(stage.said("live:new-message")).toHaveLength(2);
      const live = stage.hosting.find(9);
      expect(live && stage.turnout.wordOf(live)).toMatchObject({ users: [7], guests: [] });
      stage.evict();
      expect(stage.hosting.find(9)).toMatchObject({
        sessionId: 90,
        hostName: "Ibu",
        isGreeted: true,
      });
    }));

  it.each([
    ["a new connection that names its secret", "n", screen("n", { formerPid: "p-h" })],
    ["a new connection that knows none", "n", screen("n")],
    ["the same socket, as its shard has kept it", "h", asBefore(screen("h"))],
  ])("goes on with its host's live by %s", (_, socket, person) =>
    onOldStage(room(), async (stage) => {
      stage.now += 3_000;
      await stage.do("s3", join(socket, person, { quiet: true }));
      if (socket !== "h") await stage.do("s1", leave("h"));
      expect([stage.room.isHere(9), stage.room.viewerCount]).toEqual([true, 2]);
      stage.evict();
      stage.now += HOST_GRACE_MS;
      expect(stage.room.isHere(9)).toBe(true);
      expect(stage.hosting.due(stage.room, stage.now)).toMatchObject([{ kind: "renew" }]);
      await stage.do("s3", leave(socket));
      stage.now += HOST_GRACE_MS;
      expect(stage.hosting.due(stage.room, stage.now)).toMatchObject([{ kind: "end" }]);
    }),
  );

  it("takes no viewer of before for its host, though he comes from his address", () => {
    const rows = room();
    rows.members?.push(["w", "s1", "g:8:Cici", null, "Cici", null, 1, 0, null, HOME]);
    const cici = { ...asBefore(screen("w")), key: "g:8:Cici", name: "Cici" };
    return onOldStage(rows, async (stage) => {
      await stage.do("s3", join("w", cici, { quiet: true }));
      expect(stage.room.isHere(9)).toBe(false);
      await stage.do("s3", join("n", screen("n", { formerPid: "p-h" }), { quiet: true }));
      expect(stage.hosting.find(9)?.bound).toMatchObject({ socket: "n", pid: "p-n" });
    });
  });

  it("asks a shard again for the guests whom that release's shard put in, and knows its host by it", () =>
    onOldStage(room(), async (stage) => {
      await stage.do("s2", join("n", screen("n"), { quiet: true }));
      await stage.do("s2", leave("n"));
      stage.now += 3_000;
      await stage.do("s2", join("o", asBefore(screen("o")), { quiet: true }));
      expect(stage.room.isHere(9)).toBe(false);
      expect(stage.room.reconcile("s2", ["u", "o"])).toEqual(["o"]);
      await stage.do("s2", join("o", screen("o", { at: stage.now }), { quiet: true }));
      expect(stage.room.isHere(9)).toBe(true);
      expect(stage.room.reconcile("s2", ["u", "o"])).toEqual([]);
    }));

  it("serves again after that release was taken back into service for a while, and wrote its own version", () => {
    const name = `live:${unique()}`;
    return runInDurableObject(env.ROOM.getByName(name), async (_, { storage }) => {
      written(storage, room());
      const first = new Stage(storage, name);
      await first.do("s2", join("n", screen("n"), { quiet: true }));
      storage.sql.exec("update schema_version set version = ?", BEFORE.length);
      const stage = new Stage(storage, name);
      expect(stage.members.people().map(({ key }) => key)).toContain("g:#n");
      stage.evict();
      expect(stage.hosting.find(9)).toMatchObject({ sessionId: 90 });
    });
  });

  it("ends its host's live where he does not come back", () =>
    onOldStage(room(), async (stage) => {
      await stage.do("s1", leave("h"));
      stage.now += HOST_GRACE_MS;
      expect(stage.hosting.due(stage.room, stage.now)).toMatchObject([{ kind: "end" }]);
    }));

  it("gives the gift that waited in it, once, and shows it", async () => {
    const [host, giver, roomId] = [await createUser(), await createGiver(1_000), unique()];
    const key = giftKey(giver.userId, unique("k"));
    const wish = {
      ...{ key, senderId: giver.userId, authSessionId: giver.sessionId, receiverId: host.userId },
      ...{ giftId: "cupid", count: 1, coinValue: null, takenAt: Date.now() },
    };
    const asker = { shard: "s1", socket: "x", ask: "" };
    const waiting = [key, Date.now(), 3, JSON.stringify(wish), JSON.stringify([asker])];
    await runInDurableObject(roomStub(roomId), (_, { storage }) => {
      written(storage, { gifts: [waiting] });
    });
    await evictDurableObject(roomStub(roomId));
    const watcher = await inLive(roomId, { name: "Ana", userId: 5 });
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await watcher.hears("live:gift-received")).toMatchObject({
      from: { userId: giver.userId },
    });
    expect(await coinsOf(giver.userId)).toBe(900);
  });
});
