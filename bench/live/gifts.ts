import { SignJWT } from "jose";
import pg from "pg";
import type { Ctx } from "../../shared/context.ts";
import { clientOf } from "../../shared/db/client.ts";
import { Database } from "../../shared/db/database.ts";
import { type GiftOrder, MAX_GIFTS_PER_CALL, sendGifts } from "../../workers/live/gifts.ts";
import { requireSignIns } from "../../workers/live/sockets/people.ts";
import { cpuMicroseconds, fire, percentile } from "../load.ts";
import { dial } from "../sides.ts";
import type { StandIns } from "../stand-ins.ts";
import { line, milliseconds } from "../table.ts";
import type { Running } from "../workerd.ts";
import { type Crowd, seedPeople } from "./seed.ts";
import { seedPeer } from "./seed-peer.ts";

const FANS = 2_000;
const COINS = 1_000_000_000;
/**
 * With the database beside the server, and 20 ms away: so many people give at once, each waiting for his answer before
 * he gives again, until so many gifts are given.
 */
const ROUNDS = [
  { latencyMs: 0, givers: 1_000, peer: 1_500, ours: 10_000 },
  { latencyMs: 20, givers: 100, peer: 100, ours: 2_500 },
];
/** Both sides in turn, so often; the turn with the middle ratio is told. */
const TURNS = 5;
const GOAL = 10;

interface Figures {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  note: string;
}

/**
 * Gifts to one hot host. The peer is Express with `pg` and the original's six statements; ours are the windows of a
 * room: the transaction that the room makes (the senders' sign-ins are asked for, then the verb), through the Neon
 * endpoint, one call after the other. Neither side's sockets are measured here.
 */
export async function benchGifts(
  standIns: StandIns,
  jwtKeys: string,
  startPeer: () => Promise<Running>,
): Promise<string[]> {
  const client = new pg.Client({ connectionString: standIns.adminUrl });
  await client.connect();
  try {
    const crowd = await seedPeople(client, 1, FANS);
    await seedCoins(client, crowd);
    const signIns = await seedSignIns(client, crowd);
    await seedPeer(client, crowd, COINS);
    await client.query("vacuum analyze");
    const tokens = await tokensOf(crowd, jwtKeys);
    const peer = await startPeer();
    const missed: string[] = [];
    for (const round of ROUNDS) {
      await dial(`http://127.0.0.1:${peer.port}`)(round.latencyMs);
      await dial(standIns.httpUrl)(round.latencyMs);
      missed.push(...(await compareRound(standIns, crowd, { peer, tokens, signIns, round })));
    }
    await dial(standIns.httpUrl)(0);
    await peer.stop();
    await printPaper(client);
    return [...missed, ...(await wrongBooks(client, crowd))];
  } finally {
    await client.end();
  }
}

async function seedCoins(client: pg.Client, crowd: Crowd): Promise<void> {
  await client.query(
    `select ledger_post(jsonb_agg(jsonb_build_object('reference', 'bench/coins/' || n, 'debit_kind', 'gateway',
       'debit_owner', 'coins', 'credit_kind', 'wallet', 'credit_owner', n::text, 'amount', ${COINS},
       'currency', 'COIN', 'reason', 'Bench')))
     from generate_series(${crowd.firstFan}, ${crowd.firstFan + crowd.fans - 1}) n`,
  );
}

/** One sign-in of every fan, in their order. */
async function seedSignIns(client: pg.Client, { firstFan, fans }: Crowd): Promise<string[]> {
  const { rows } = await client.query(
    `insert into identity_sessions (user_id, expires_at)
     select n, now() + interval '1 day' from generate_series($1::int, $2) n returning user_id::int, id`,
    [firstFan, firstFan + fans - 1],
  );
  const ids = new Map(rows.map(({ user_id, id }) => [user_id, id]));
  return Array.from({ length: fans }, (_, i) => ids.get(firstFan + i));
}

const GIFTS = [
  { giftId: "cupid", giftName: "Carousel", coinValue: 100, category: "lucky" },
  { giftId: "maxi", giftName: "Beach", coinValue: 250, category: "s-lucky" },
  { giftId: "burger", giftName: "Burger", coinValue: 2999, category: "luxury" },
];
const giftOf = (n: number) => ({ ...(GIFTS[n % GIFTS.length] ?? GIFTS[0]), quantity: 1 + (n % 3) });

interface Peer {
  peer: Running;
  tokens: string[];
  signIns: string[];
  round: (typeof ROUNDS)[number];
}

async function compareRound(standIns: StandIns, crowd: Crowd, side: Peer): Promise<string[]> {
  const { round } = side;
  const turns: { peer: Figures; ours: Figures; times: number }[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    const peer = await measurePeer(crowd, side);
    const ours = await measureWindows(standIns, crowd, side);
    turns.push({ peer, ours, times: ours.perSecond / peer.perSecond });
  }
  turns.sort((a, b) => a.times - b.times);
  const middle = turns[Math.floor(TURNS / 2)];
  if (!middle) throw new Error("no turn was measured");
  const { peer, ours, times } = middle;
  const heads = ["gifts/s", "p50 ms", "p99 ms"].map((text) => text.padStart(8));
  console.log(line(`gifts to one host, DB ${round.latencyMs} ms`, heads));
  print("Express + pg, six statements", peer);
  print("the room's windows", ours);
  const all = turns.map((turn) => turn.times.toFixed(1)).join(", ");
  console.log(`  ${times.toFixed(1)} times as many (goal: at least ${GOAL}; turns: ${all})`);
  if (times >= GOAL) return [];
  return [
    `gifts to one host, database ${round.latencyMs} ms away, are only ×${times.toFixed(1)} of Express'`,
  ];
}

async function measurePeer(crowd: Crowd, { peer, tokens, round }: Peer): Promise<Figures> {
  let n = 0;
  const aim = () => {
    n += 1;
    return {
      method: "POST",
      path: "/peer/gifts/send",
      headers: { authorization: `Bearer ${tokens[fanOf(crowd)]}` },
      body: JSON.stringify({ receiverId: crowd.firstHost, ...giftOf(n) }),
    };
  };
  await fire(peer, aim, { count: 40, concurrency: 20 });
  const began = performance.now();
  const load = { count: round.peer, concurrency: round.givers };
  const { p50Ms, p99Ms, cpuUs, failures } = await fire(peer, aim, load);
  const perSecond = round.peer / ((performance.now() - began) / 1000);
  if (failures > 0) throw new Error(`the peer refused ${failures} gifts`);
  return { perSecond, p50Ms, p99Ms, note: `${cpuUs.toFixed(0)} µs CPU of Node a gift` };
}

/** A few fans give much: the place of whoever gives next. */
const fanOf = ({ fans }: Crowd) => Math.floor(fans * Math.random() ** 2);

const tokensOf = (crowd: Crowd, jwtKeys: string) =>
  Promise.all(Array.from({ length: crowd.fans }, (_, i) => sign(crowd.firstFan + i, jwtKeys)));

async function sign(id: number, jwtKeys: string): Promise<string> {
  const [kid = "", secret = ""] = jwtKeys.split(":");
  return await new SignJWT({ id })
    .setProtectedHeader({ alg: "HS256", kid })
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(secret));
}

/** What is given while a call is under way goes into the next one, as in a room. */
async function measureWindows(
  standIns: StandIns,
  crowd: Crowd,
  { signIns, round: { givers, ours } }: Peer,
): Promise<Figures> {
  const write = async (orders: GiftOrder[]) => {
    const ctx = contextOf(standIns);
    const people = orders.map(({ senderId: userId }) => ({
      userId,
      sessionId: signIns[userId - crowd.firstFan] ?? "",
    }));
    ctx.db.guard({ statement: requireSignIns(people), passed: () => undefined });
    return await sendGifts(ctx, orders);
  };
  const cpuBefore = cpuMicroseconds(process.pid);
  const waiting: { order: GiftOrder; since: number }[] = [];
  const times: number[] = [];
  let given = 0;
  const give = () => {
    given += 1;
    waiting.push({ order: orderOf(crowd, given), since: performance.now() });
  };
  await write(Array.from({ length: 100 }, (_, i) => orderOf(crowd, i)));
  for (let i = 0; i < givers; i += 1) give();
  const began = performance.now();
  let calls = 0;
  while (waiting.length > 0) {
    const window = waiting.splice(0, MAX_GIFTS_PER_CALL);
    const results = await write(window.map(({ order }) => order));
    calls += 1;
    if (results.some(({ state }) => state === "refused")) throw new Error("a gift was refused");
    const now = performance.now();
    times.push(...window.map(({ since }) => now - since));
    for (let i = 0; i < window.length && given < ours; i += 1) give();
  }
  const perSecond = times.length / ((performance.now() - began) / 1000);
  const cpuUs = (cpuMicroseconds(process.pid) - cpuBefore) / times.length;
  const note = `${cpuUs.toFixed(0)} µs CPU of the caller a gift, ${(times.length / calls).toFixed(0)} gifts a call`;
  return { perSecond, p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), note };
}

const orderOf = (crowd: Crowd, n: number): GiftOrder => {
  const { giftId = "cupid", quantity } = giftOf(n);
  return {
    key: crypto.randomUUID(),
    senderId: crowd.firstFan + fanOf(crowd),
    receiverId: crowd.firstHost,
    giftId,
    quantity,
    scene: "live",
    roomId: "chatme-live",
  };
};

/** As much of a context as the verb needs outside the Worker. */
function contextOf({ databaseUrl, httpUrl }: StandIns): Ctx {
  const client = clientOf({ databaseUrl, databaseHttpUrl: httpUrl });
  const needed = { db: new Database(client, "bench"), now: () => new Date() };
  return needed as unknown as Ctx;
}

function print(name: string, { perSecond, p50Ms, p99Ms, note }: Figures): void {
  const cells = [perSecond.toFixed(0), milliseconds(p50Ms), milliseconds(p99Ms)];
  console.log(
    `${line(
      name,
      cells.map((text) => text.padStart(8)),
    )}   ${note}`,
  );
}

/** What a million gifts write, counted from those that were just written. */
async function printPaper(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `select (select count(*) from live_gifts)::float8 as gifts,
       (select count(*) from ledger_transfers where reference like 'gift/%')::float8 as transfers,
       pg_total_relation_size('live_gifts')::float8 + pg_total_relation_size('ledger_transfers') as bytes`,
  );
  const [{ gifts, transfers, bytes }] = rows;
  const lines = 1 + transfers / gifts;
  const gigabytes = (bytes / gifts) * 1e6 * 1e-9;
  console.log(
    `  A million gifts: ${(1e6 / MAX_GIFTS_PER_CALL).toLocaleString("en")} calls in full windows, ` +
      `${lines.toFixed(1)} million rows kept (${gigabytes.toFixed(1)} GB with indexes), totals updated in place.`,
  );
}

async function wrongBooks(client: pg.Client, { firstHost }: Crowd): Promise<string[]> {
  const { rows } = await client.query(
    `select (select sum(balance) from ledger_accounts where currency = 'COIN')::float8 as coins,
       (select sum(coin_value * quantity) from live_gifts where receiver_id = $1)::float8 as given,
       (select sum(coins) from live_host_days where host_id = $1)::float8 as days,
       (select sum(coins) from live_fan_totals where host_id = $1)::float8 as fans`,
    [firstHost],
  );
  const [{ coins, given, days, fans }] = rows;
  const wrong = coins !== 0 || given !== days || given !== fans;
  return wrong ? [`the books do not add up: ${JSON.stringify(rows[0])}`] : [];
}
