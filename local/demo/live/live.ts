import { until } from "../http.ts";
import { check, coins, type Tell } from "../narrator.ts";
import { buyCoins } from "./coins.ts";
import { appRequest, coinsOf, makePeople, makePerson, type Person } from "./people.ts";
import { type GiftShown, nextEvent, type Viewer, watch } from "./viewers.ts";

const FANS = 40;
const GUESTS = 160;
const GIFT = "cupid";
/** Each fan gives so many, and then one that is dearer than all that he has. */
const GIFTS_PER_FAN = 3;

/** A live with 200 stock clients, from the host's registration to sums that add up to the coin. */
export async function goLive(tell: Tell): Promise<void> {
  const host = await makePerson(tell, "Kak Sari");
  const fans = await makePeople(tell, "Penggemar", FANS);
  tell.step(`A host and ${FANS} fans registered and signed in`, `host ${host.id}`);
  const each = await buyCoins(tell, fans);
  tell.step(`Each fan bought ${coins(each)} through the payment twin`, coins(each * FANS));

  const roomId = `demo-${Date.now().toString(36)}`;
  const json = { hostId: host.id, roomId };
  const { token } = host;
  const { sessionId } = await appRequest<{ sessionId: number }>(tell, "/api/live-session/start", {
    method: "POST",
    token,
    json,
  });
  const stage = await watch(tell, roomId, { name: host.name, person: host });
  tell.step("The host is live", `session ${sessionId}, room ${roomId}`);
  const viewers = await gather(tell, roomId, stage, fans);
  try {
    await chat(tell, roomId, [stage, ...viewers]);
    const shown = await giveGifts(tell, roomId, { host, stage, viewers });
    await compareSums(tell, { host, fans, each, shown });
    await endLive(tell, host, sessionId, shown);
  } finally {
    for (const { socket } of [stage, ...viewers]) socket.disconnect();
  }
  tell.end(`A live with ${viewers.length} stock socket.io clients, and every coin accounted for.`);
}

async function gather(tell: Tell, roomId: string, stage: Viewer, fans: Person[]) {
  const full = nextEvent<{ count: number }>(
    stage.socket,
    "live:viewer-count",
    ({ count }) => count >= FANS + GUESTS,
  );
  const who = [
    ...fans.map((person) => ({ name: person.name, person })),
    ...Array.from({ length: GUESTS }, (_, i) => ({ name: `Tamu ${i + 1}`, person: null })),
  ];
  const viewers: Viewer[] = [];
  for (let from = 0; from < who.length; from += 20) {
    const group = who.slice(from, from + 20);
    viewers.push(...(await Promise.all(group.map((one) => watch(tell, roomId, one)))));
  }
  const { count } = await full;
  tell.step(`${viewers.length} viewers joined: ${FANS} with a token, ${GUESTS} guests`, `${count}`);
  return viewers;
}

/** Everybody says one thing; everybody else hears it, and nobody hears himself. */
async function chat(tell: Tell, roomId: string, all: Viewer[]): Promise<void> {
  for (const { socket, name, person } of all) {
    const userId = person?.id ?? null;
    const message = `Halo dari ${name}`;
    socket.emit("live:message", { roomId, userId, username: name, message, level: 1, vip: 0 });
  }
  const heard = () => all.reduce((sum, viewer) => sum + viewer.heard, 0);
  const expected = all.length * (all.length - 1);
  await until(
    "everybody heard everybody",
    async () => heard(),
    (sum) => sum >= expected,
  );
  for (const viewer of all) check(`messages heard by ${viewer.name}`, viewer.heard, all.length - 1);
  tell.step(`${all.length} messages were heard by all others`, `${expected} deliveries`);
}

interface Scene {
  host: Person;
  stage: Viewer;
  viewers: Viewer[];
}

async function giveGifts(tell: Tell, roomId: string, scene: Scene): Promise<GiftShown[]> {
  const { host, stage, viewers } = scene;
  const shown: GiftShown[] = [];
  stage.socket.on("live:gift-received", (gift: GiftShown) => void shown.push(gift));
  let refused = 0;
  const givers = viewers.filter(({ person }) => person !== null);
  for (const { socket } of givers) {
    socket.on("error", ({ code }: { code?: string }) => {
      if (code === "insufficient_balance") refused += 1;
    });
  }
  const give = ({ socket, name, person }: Viewer, count: number) =>
    socket.emit("live:gift", {
      roomId,
      from: { userId: person?.id, username: name },
      to: { userId: String(host.id), username: host.name },
      gift: { id: GIFT, hostIncome: 999_999 },
      count,
    });
  for (let round = 0; round < GIFTS_PER_FAN; round++) for (const fan of givers) give(fan, 1);
  for (const fan of givers) give(fan, 999);
  const expected = GIFTS_PER_FAN * givers.length;
  await until(
    "all gifts are written and shown",
    async () => [shown.length, refused] as const,
    ([sent, refusals]) => sent >= expected && refusals >= givers.length,
  );
  check("gifts shown", shown.length, expected);
  check("gifts refused for lack of coins", refused, givers.length);
  tell.step(`${shown.length} gifts shown to the room, ${refused} refused: not enough coins`);
  return shown;
}

interface Books {
  host: Person;
  fans: Person[];
  each: number;
  shown: GiftShown[];
}

/** Income, ranking and balances say the same as what the room saw. */
async function compareSums(tell: Tell, { host, fans, each, shown }: Books): Promise<void> {
  const spent = shown.reduce((sum, { gift, count }) => sum + gift.price * count, 0);
  const income = shown.reduce((sum, { gift }) => sum + gift.hostIncome, 0);
  const { token } = host;
  // All of it was given just now; a day may have ended meanwhile.
  const week = `/api/host-income/week/${host.id}`;
  const { total } = await appRequest<{ total: number }>(tell, week, { token });
  check("the host's income of the week", total, income);
  check("the host's coins", await coinsOf(tell, host), income);
  const ranking = `/api/ranking/fans/${host.id}?period=weekly`;
  const { data } = await appRequest<{ data: { coins: number }[] }>(tell, ranking);
  check(
    "coins in the ranking",
    data.reduce((sum, row) => sum + row.coins, 0),
    spent,
  );
  const left = await Promise.all(fans.map((fan) => coinsOf(tell, fan)));
  check(
    "coins that the fans have left",
    left.reduce((sum, one) => sum + one, 0),
    each * fans.length - spent,
  );
  tell.step(
    `Fans spent ${coins(spent)}, the host earned ${coins(income)}`,
    "income, ranking and every balance agree",
  );
}

async function endLive(tell: Tell, host: Person, sessionId: number, shown: GiftShown[]) {
  const income = shown.reduce((sum, { gift }) => sum + gift.hostIncome, 0);
  const { data } = await appRequest<{
    data: { total_income: number; total_viewers: number; duration_seconds: number };
  }>(tell, "/api/live-session/end", { method: "POST", token: host.token, json: { sessionId } });
  check("income of the session", data.total_income, income);
  tell.step(
    "The live has ended; the server computed what it came to",
    `${coins(data.total_income)}, ${data.total_viewers} viewers, ${data.duration_seconds} s`,
  );
}
