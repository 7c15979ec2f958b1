import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { unique } from "../../testing/factories.ts";
import { ObjectTables } from "../object-tables.ts";
import { ShownGifts } from "./shown-gifts.ts";
import { ROOM_TABLES } from "./tables.ts";

const gifts = (...ids: number[]) => ids.map((giftRowId) => ({ giftRowId }));
const upTo = (count: number) => gifts(...Array.from({ length: count }, (_, i) => i + 1));

/** Each life of the object begins with what is in storage. */
const play = (act: (live: () => ShownGifts, tables: ObjectTables) => void) =>
  runInDurableObject(env.ROOM.getByName(`live:${unique()}`), (_, { storage }) => {
    const tables = new ObjectTables(storage, ROOM_TABLES);
    act(() => new ShownGifts(tables), tables);
  });

it("a gift is new once, also within one call and after an eviction", () =>
  play((live, tables) => {
    tables.write("delete from members");
    const first = live();
    expect(first.take(gifts(7, 5, 7))).toEqual(gifts(7, 5));
    expect(first.take(gifts(5))).toEqual([]);
    expect(live().take(gifts(7, 6, 5))).toEqual(gifts(6));
  }));

it("what hundreds of gifts came after counts as shown, and the list does not grow", () =>
  play((live, tables) => {
    tables.write("delete from members");
    const first = live();
    first.take(gifts(1_000_000));
    first.take(upTo(600));
    const [row] = tables.rows<{ up_to: number; ids: string }>("select up_to, ids from shown_gifts");
    expect([row?.up_to, JSON.parse(row?.ids ?? "").length]).toEqual([101, 500]);
    expect(live().take(gifts(3, 101, 600, 601))).toEqual(gifts(601));
  }));

it("a gift that is told for the first time is shown however many came after it, and once", () =>
  play((live, tables) => {
    tables.write("delete from members");
    const first = live();
    first.take(gifts(1_000_000));
    first.take(upTo(600).slice(2));
    const told = (giftRowId: number, repeated: boolean) => [{ giftRowId, repeated }];
    expect(first.take(told(1, true))).toEqual([]);
    expect(first.take([{ giftRowId: 1 }])).toEqual([]);
    expect(first.take(told(1, false))).toEqual(told(1, false));
    expect(first.take(told(1, true))).toEqual([]);
    expect(live().take(told(2, false))).toEqual(told(2, false));
    expect(live().take(told(600, false))).toEqual([]);
  }));

it("a room that nobody ever joined keeps nothing of it", () =>
  play((live, tables) => {
    expect(live().take(gifts(1))).toEqual(gifts(1));
    expect(tables.made).toBe(false);
  }));

it("one that the release before tells without a number is shown, and spoils nothing", () =>
  play((live, tables) => {
    tables.write("delete from members");
    const unnumbered: { giftRowId?: number }[] = [{}, {}];
    expect(live().take(unnumbered)).toEqual(unnumbered);
    expect(live().take([...unnumbered, ...gifts(3)])).toHaveLength(3);
    expect(live().take(gifts(3))).toEqual([]);
  }));
