import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { unique } from "../../testing/factories.ts";
import { ObjectTables } from "../object-tables.ts";
import { shardStub } from "../testing/rounds.ts";
import { SHARD_TABLES } from "./directory.ts";
import { Marks } from "./marks.ts";

it("what a room said is kept for as long as somebody here is in it, or may come back, and no longer", async () => {
  await runInDurableObject(shardStub(unique("s")), (_, { storage }) => {
    const open = () => {
      const tables = new ObjectTables(storage, SHARD_TABLES);
      tables.open();
      return new Marks(tables, () => false);
    };
    const marks = open();
    marks.joined("live:a", 1);
    marks.joined("live:b", 2);
    marks.save((room) => room === "live:a");
    expect([marks.of("live:a"), marks.of("live:b")]).toEqual([1, null]);
    expect([open().of("live:a"), open().of("live:b")]).toEqual([1, null]);
  });
});
