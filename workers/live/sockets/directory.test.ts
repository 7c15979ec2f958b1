import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { unique } from "../../testing/factories.ts";
import { ObjectTables } from "../object-tables.ts";
import { Directory, type HomeOp, SHARD_TABLES } from "./directory.ts";
import { NO_ROOM } from "./spots.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

interface Scene {
  enlist(shard: string): void;
  /** Asks the user's shards; answers which were asked. */
  ask(answer: (shard: string) => Promise<boolean>): Promise<string[]>;
  skip(ms: number): void;
}

/** A directory on real storage, and a user of it. */
async function inDirectory(play: (scene: Scene) => Promise<void>): Promise<void> {
  await runInDurableObject(env.SOCKET_SHARD.getByName(unique("d")), async (_, { storage }) => {
    let now = 1_800_000_000_000;
    const directory = new Directory(new ObjectTables(storage, SHARD_TABLES), () => now);
    await play({
      enlist: (shard) => void directory.apply([{ kind: "enlist", userId: 7, shard }]),
      skip: (ms) => {
        now += ms;
      },
      ask: async (answer) => {
        const asked: string[] = [];
        await directory.askShards(7, (shard) => {
          asked.push(shard);
          return answer(shard);
        });
        return asked.sort();
      },
    });
  });
}

const yes = async () => true;
const no = async () => false;

it("lists a shard until it says itself that it has none of the user; one that does not answer stays", async () => {
  await inDirectory(async ({ enlist, ask }) => {
    for (const shard of ["s1", "s2", "s3"]) enlist(shard);
    const away = async (shard: string) => {
      if (shard === "s3") throw new Error("the object is being moved");
      return shard === "s1";
    };
    expect(await ask(away)).toEqual(["s1", "s2", "s3"]);
    expect(await ask(yes)).toEqual(["s1", "s3"]);
  });
});

it("keeps a shard that names itself while it is being asked: its word that it had none is older", async () => {
  await inDirectory(async ({ enlist, ask }) => {
    enlist("s1");
    await ask(async () => {
      enlist("s1");
      return false;
    });
    expect(await ask(no)).toEqual(["s1"]);
    expect(await ask(yes)).toEqual([]);
  });
});

it("forgets a shard that was silent for a day, and none that says again in time that it is there", async () => {
  await inDirectory(async ({ enlist, ask, skip }) => {
    enlist("s1");
    enlist("s2");
    skip(DAY_MS * 0.6);
    enlist("s1");
    skip(DAY_MS * 0.6);
    enlist("s3");
    expect(await ask(yes)).toEqual(["s1", "s3"]);
  });
});

it("knows a person's seat by the socket that has it: another one in the room, or a new one, says nothing of it", async () => {
  await runInDurableObject(env.SOCKET_SHARD.getByName(unique("d")), (_, { storage }) => {
    const directory = new Directory(
      new ObjectTables(storage, SHARD_TABLES),
      () => 1_800_000_000_000,
    );
    const [person, room] = ["u:7", "party:a"];
    const seats = () => directory.apply([{ kind: "recall", person, isReturning: true }])[0]?.seats;
    directory.apply([{ kind: "place", person, room, seat: 3 }]);
    directory.apply([{ kind: "place", person, room }]);
    directory.apply([{ kind: "lost", person, room }]);
    expect(seats()).toEqual({ [room]: 3 });
    directory.apply([{ kind: "place", person, room, seat: null }]);
    expect(seats()).toEqual({});
  });
});

/** A directory on real storage, with what an earlier release wrote if told. */
async function withPlaces(play: (apply: (...ops: HomeOp[]) => string[][]) => void, old = "") {
  await runInDurableObject(env.SOCKET_SHARD.getByName(unique("d")), (_, { storage }) => {
    if (old) {
      const before = new ObjectTables(storage, SHARD_TABLES.slice(0, 3));
      before.write(old);
    }
    const tables = new ObjectTables(storage, SHARD_TABLES);
    tables.open();
    const directory = new Directory(tables, () => 1_800_000_000_000);
    play((...ops) => directory.apply(ops).map(({ rooms }) => rooms));
  });
}

const person = "u:7";
const recall = (pid: string, formerPid: string | null = null): HomeOp => ({
  ...{ kind: "recall", person, isReturning: formerPid !== null },
  ...{ pid, formerPid },
});
const at = (kind: "place" | "lost" | "unplace", room: string, pid: string): HomeOp => ({
  ...{ kind, person, room, pid },
});

it("tells who comes back the rooms of his own connection, also when he is lost again before he is anywhere", async () => {
  await withPlaces((apply) => {
    apply(at("place", "live:a", "one"), at("place", "live:b", "two"));
    expect(apply(recall("three", "one"))).toEqual([["live:a"]]);
    expect(apply(recall("three", "one"))).toEqual([["live:a"]]);
    expect(apply(recall("four", "three"))).toEqual([["live:a"]]);
    expect(apply(recall("five", "two"))).toEqual([["live:b"]]);
  });
});

it("forgets a room that a tab leaves for this tab and for lost ones, and not for another", async () => {
  await withPlaces((apply) => {
    apply(at("place", "live:a", "one"), at("place", "live:a", "two"), at("lost", "live:a", "x"));
    apply(at("unplace", "live:a", "one"));
    expect(apply(recall("new"))).toEqual([[]]);
    expect(apply(recall("three", "two"))).toEqual([["live:a"]]);
    apply(at("unplace", "live:a", "three"), at("place", "live:b", "five"));
    expect(apply(recall("four", "three"))).toEqual([[]]);
    expect(apply(recall("six", "four"))).toEqual([[]]);
    expect(apply(recall("seven", "five"))).toEqual([["live:b"]]);
  });
});

it("tells who comes back his rooms again, by the connection that he knows: he may never have learnt of the next", async () => {
  await withPlaces((apply) => {
    expect(apply(recall("one"))).toEqual([[]]);
    apply(at("place", "live:a", "one"), at("place", "live:b", "other"));
    for (const pid of ["two", "three", "four"]) {
      expect(apply(recall(pid, "one"))).toEqual([["live:a"]]);
      apply(at("place", "live:a", pid));
    }
    apply(at("unplace", "live:a", "four"));
    expect(apply(recall("five", "four"))).toEqual([[]]);
  });
});

it("tells a guest's tab that goes on and was nowhere no room of his other one", async () => {
  await withPlaces((apply) => {
    apply(at("place", NO_ROOM, "one"), at("place", "live:a", "two"));
    const goesOn: HomeOp = { kind: "recall", person, isReturning: true, pid: "one" };
    expect(apply(goesOn)).toEqual([[]]);
    expect(apply(recall("three", "two"))).toEqual([["live:a"]]);
  });
});

it("tells one who comes back, and of whom nothing is known, all rooms of his person: a crash may have taken it", async () => {
  await withPlaces((apply) => {
    apply(at("place", "live:a", "one"), at("lost", "live:b", "two"));
    expect(apply(recall("three", "never heard of"))).toEqual([["live:a", "live:b"]]);
    apply(at("place", "live:a", "three"), at("place", "live:b", "three"));
    expect(apply(recall("new"))).toEqual([[]]);
    expect(apply(recall("four", "two"))).toEqual([["live:b"]]);
    expect(apply(recall("five", "one"))).toEqual([["live:a"]]);
  });
});

it("tells who comes back his rooms, however many connections without one he has had", async () => {
  await withPlaces((apply) => {
    apply(at("place", "live:a", "one"));
    for (let n = 0; n < 25; n += 1) apply(recall(`idle${n}`));
    expect(apply(recall("two", "never heard of"))).toEqual([["live:a"]]);
  });
});

it("tells who was lost his room, though another of his tabs leaves it meanwhile", async () => {
  await withPlaces((apply) => {
    apply(recall("one"), at("place", "live:a", "one"), at("place", "live:a", "two"));
    apply(at("lost", "live:a", "one"), at("unplace", "live:a", "two"));
    expect(apply(recall("new"))).toEqual([[]]);
    expect(apply(recall("three", "one"))).toEqual([["live:a"]]);
  });
});

it("tells who comes anew his lost rooms, however many connections of his were lost in one", async () => {
  await withPlaces((apply) => {
    for (let n = 0; n < 30; n += 1) apply(at("lost", "live:a", `lost${n}`));
    apply(at("lost", "live:b", "one"));
    expect(apply(recall("two"))).toEqual([["live:a", "live:b"]]);
  });
});

it("writes a row again only when a third of its time is over, and that of who is nowhere more seldom", async () => {
  await runInDurableObject(env.SOCKET_SHARD.getByName(unique("d")), (_, { storage }) => {
    let now = 1_800_000_000_000;
    const directory = new Directory(new ObjectTables(storage, SHARD_TABLES), () => now);
    const writesInAnHour = (room: string) => {
      const written = new Set<unknown>();
      for (let second = 0; second < 3_600; second += 25) {
        directory.apply([at("place", room, "one")]);
        const query = "select until from spots where room = ?";
        written.add(storage.sql.exec(query, room).one().until);
        now += 25_000;
      }
      return written.size;
    };
    expect([writesInAnHour("live:a"), writesInAnHour(NO_ROOM)]).toEqual([48, 16]);
  });
});

it("knows what an earlier release wrote, and what its shards still say without a connection", async () => {
  const old = "insert into places values ('u:7', 'live:a', 1, 1900000000000, null)";
  await withPlaces((apply) => {
    expect(apply({ kind: "recall", person, isReturning: false })).toEqual([["live:a"]]);
    expect(apply(recall("two", "one"))).toEqual([["live:a"]]);
    apply({ kind: "unplace", person, room: "live:a" });
    expect(apply(recall("three", "two"))).toEqual([[]]);
  }, old);
});

it("leaves the tables as an earlier release writes them, should it be taken back into service", async () => {
  await runInDurableObject(env.SOCKET_SHARD.getByName(unique("d")), (_, { storage }) => {
    const tables = new ObjectTables(storage, SHARD_TABLES);
    tables.write("insert or replace into places values (?, ?, ?, ?)", ...["u:7", "live:a", 0, 1]);
    expect(tables.rows("select room from places")).toEqual([{ room: "live:a" }]);
  });
});
