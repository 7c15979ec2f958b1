import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { unique } from "../testing/factories.ts";
import { ObjectTables } from "./object-tables.ts";

const STEPS = ["create table things (id integer)", "alter table things add column name text"];

it("tables of a later release stay as they are while an earlier one runs, and when it is back", async () => {
  await runInDurableObject(env.SOCKET_SHARD.getByName(unique("t")), (_, { storage }) => {
    new ObjectTables(storage, STEPS).write("insert into things values (1, 'satu')");
    new ObjectTables(storage, STEPS.slice(0, 1)).open();
    const again = new ObjectTables(storage, STEPS);
    again.open();
    expect(again.rows("select * from things")).toEqual([{ id: 1, name: "satu" }]);
  });
});
