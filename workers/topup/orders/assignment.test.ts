import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { Dice } from "../testing/episode-dice.ts";

interface Graph {
  /** For each member the seats that it can have. */
  wishes: number[][];
  /** The seat that it begins with and keeps, or another one for it. */
  held: (number | null)[];
}
type Matching = (number | null)[];

const GRAPHS = 1_500;

function graphOf(seed: number): Graph {
  const dice = new Dice(seed);
  const seats = dice.between(1, 4);
  const density = dice.pick([0.3, 0.5, 0.8, 1]);
  const wishes = Array.from({ length: dice.between(1, 5) }, () =>
    Array.from({ length: seats }, (_, n) => n + 1).filter(() => dice.chance(density)),
  );
  const held: (number | null)[] = wishes.map(() => null);
  for (const [member, wished] of wishes.entries()) {
    const [seat] = wished.filter((one) => !held.includes(one));
    if (seat !== undefined && dice.chance(0.15)) held[member] = seat;
  }
  return { wishes, held };
}

/** Every way to seat as many as can sit together, those who begin with a seat among them. */
function bestOf({ wishes, held }: Graph): Matching[] {
  let all: Matching[] = [[]];
  for (const [member, wished] of wishes.entries())
    all = all.flatMap((so) => [
      ...wished.filter((seat) => !so.includes(seat)).map((seat) => [...so, seat]),
      ...(held[member] === null ? [[...so, null]] : []),
    ]);
  const most = Math.max(...all.map(seated));
  return all.filter((one) => seated(one) === most);
}
const seated = (matching: Matching) => matching.filter((seat) => seat !== null).length;

const Told = z.object({
  has: z.array(z.number().nullable()),
  rivals: z.array(z.array(z.number())),
  swaps: z.array(z.array(z.number())),
  free: z.array(z.boolean()),
  dearest: z.array(z.array(z.number().nullable())),
});

async function toldOf(graphs: readonly Graph[]): Promise<z.output<typeof Told>[]> {
  return await testContext().db.run(
    rows(
      sql`select h.has, n.* from jsonb_array_elements(${JSON.stringify(graphs)}::jsonb) with ordinality g(graph, at),
          lateral (select g.graph->'wishes' as wishes, array(select (e#>>'{}')::int
            from jsonb_array_elements(g.graph->'held') e) as held) x,
          lateral matching_of(x.wishes, x.held) h(has),
          lateral (select jsonb_agg(matching_rivals(x.wishes, h.has, x.held, m) order by m) as rivals,
            jsonb_agg(matching_swaps(x.wishes, h.has, m) order by m) as swaps,
            jsonb_agg((matching_moves(x.wishes, h.has, array[m])).is_free order by m) as free,
            jsonb_agg(matching_dearest(x.wishes, x.held, h.has, m) order by m) as dearest
            from generate_subscripts(h.has, 1) m) n
        order by g.at`,
      Told,
    ),
  );
}

it("of all ways to give as many orders a row as can have one together, the functions tell who has one in each, and who always the same", async () => {
  const graphs = Array.from({ length: GRAPHS }, (_, seed) => graphOf(seed));
  const wrongs: unknown[] = [];
  for (const [n, told] of (await toldOf(graphs)).entries()) {
    const graph = graphs[n] ?? graphOf(n);
    const best = bestOf(graph);
    const isBest = (has: Matching) =>
      best.some((one) => JSON.stringify(one) === JSON.stringify(has));
    const isOne = isBest(told.has) && told.dearest.every(isBest);
    const firsts = [...best].sort(earliestFirst)[0] ?? [];
    const isFirst = told.has.every((seat, member) => (seat === null) === (firsts[member] === null));
    const isTold = graph.wishes.every((_, member) => {
      if (graph.held[member] !== null) return true;
      const seats = new Set(best.map((one) => one[member]));
      const isSure = !seats.has(null);
      const isFixed = told.swaps[member]?.length === 0 && !told.free[member];
      return (
        isSure === (told.rivals[member]?.length === 0) &&
        (!isSure || isFixed === (seats.size === 1))
      );
    });
    if (!isOne || !isFirst || !isTold) wrongs.push({ graph, told, isOne, isFirst, isTold });
  }
  expect(wrongs.slice(0, 2)).toEqual([]);
});

/** The first member that only one of them has a seat for decides. */
function earliestFirst(one: Matching, other: Matching): number {
  for (const [member, seat] of one.entries()) {
    const isSeated = seat !== null;
    if (isSeated !== (other[member] !== null)) return isSeated ? -1 : 1;
  }
  return 0;
}

/** Far more than it takes. */
const PATIENCE_MS = 8_000;

/** Of an outage of an hour, where lists tell no target. */
it("of a crowd that nothing tells apart it is told within a call's patience", async () => {
  const everySeat = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
  for (const count of [300, 210]) {
    const wishes = Array.from({ length: 300 }, () => everySeat(count));
    const [told] = await testContext(null, PATIENCE_MS).db.run(
      rows(
        sql`select cardinality(array_remove(h.has, null)) as seated,
            cardinality(matching_swaps(x.wishes, h.has, 1)) as swaps,
            cardinality(matching_rivals(x.wishes, h.has, x.held, 1)) as rivals
          from (select ${JSON.stringify(wishes)}::jsonb as wishes, array_fill(null::int, array[300]) as held) x,
            lateral matching_of(x.wishes, x.held) h(has)`,
        z.object({ seated: z.number(), swaps: z.number(), rivals: z.number() }),
      ),
    );
    const rivals = count < 300 ? 300 : 0;
    expect(told).toEqual({ seated: count, swaps: count - 1, rivals });
  }
});
