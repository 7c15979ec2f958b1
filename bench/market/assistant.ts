import { request } from "node:http";
import { SignJWT } from "jose";
import pg from "pg";
import { localSettings, secretsFrom, TWIN_KEYS } from "../../local/settings.ts";
import { median, percentile } from "../load.ts";
import { dial } from "../sides.ts";
import { type StandIns, startStandIns } from "../stand-ins.ts";
import { milliseconds } from "../table.ts";
import { bundleWorker, dropBundle, type Running, startWorkerd } from "../workerd.ts";

const TALKS = 200;
const WARM_UP = 20;
const GOAL_MS = 10;
/** So long the model thinks before its first word. */
const FIRST_WORD_MS = 20;
const MATCH = "bench-asisten";

type Keep = (stop: () => Promise<unknown>) => void;

/**
 * `node bench/market/assistant.ts`, or a part of `npm run bench -- market`: from the moment when the model's first word
 * is handed to its socket until the first byte of it is in the reader's hands, with the database near and far. The
 * model is the twin, in a process of its own on this machine. Beside it, talk by talk in turn, a bare client that asks
 * the same twin with nothing in between: what the machine itself costs in a bad moment is in both.
 */
export async function benchAssistant(keep: Keep): Promise<string[]> {
  const standIns = await startStandIns();
  keep(standIns.stop);
  const secrets = secretsFrom();
  const token = await seedSeller(standIns.adminUrl, secrets.JWT_KEYS);
  const bundle = bundleWorker({
    ...localSettings({ ...standIns, rateLimitFactor: 1000 }, secrets),
    ASSISTANT_DAILY_TOKENS: "1000000000",
    ASSISTANT_DAILY_MICRO_USD: "1000000000",
  });
  keep(async () => dropBundle(bundle));
  const worker = await startWorkerd(bundle);
  keep(worker.stop);
  console.log(`Bundle with the assistant: ${Math.round(bundle.gzipBytes / 1024)} KiB gzipped`);
  const missed: string[] = [];
  for (const latencyMs of [0, 20]) {
    await dial(standIns.httpUrl)(latencyMs);
    missed.push(...(await measure(worker, standIns, token, latencyMs)));
  }
  return missed;
}

async function measure(
  worker: Running,
  standIns: StandIns,
  token: string,
  latencyMs: number,
): Promise<string[]> {
  const [ours, bare] = [`${MATCH}-${latencyMs}`, `${MATCH}-polos-${latencyMs}`];
  for (const match of [ours, bare]) await scriptTalks(standIns, match);
  const heard: Record<"ours" | "bare", number[]> = { ours: [], bare: [] };
  const waited: number[] = [];
  for (let i = 0; i < WARM_UP + TALKS; i += 1) {
    const began = now();
    const first = await firstWord(chatOf(worker.port, token, `${ours} ${i}`), 'data: {"text"');
    const direct = await firstWord(bareOf(standIns, `${bare} ${i}`), "text_delta");
    if (i < WARM_UP) continue;
    heard.ours.push(first);
    heard.bare.push(direct);
    waited.push(first - began);
  }
  const late = await lateness(standIns, ours, heard.ours);
  const direct = await lateness(standIns, bare, heard.bare);
  const added = { p50: late.p50 - direct.p50, p99: late.p99 - direct.p99 };
  console.log(
    `chat, database at ${latencyMs} ms: first word ${milliseconds(late.p50)} ms after the model's own (p99 ${milliseconds(late.p99)}), a bare client's ${milliseconds(direct.p50)} (p99 ${milliseconds(direct.p99)}): ${milliseconds(added.p50)} added (p99 ${milliseconds(added.p99)}, goal ${GOAL_MS}); ${milliseconds(median(waited))} ms after the question, ${FIRST_WORD_MS} of them the model's; ${TALKS} talks each, one after the other`,
  );
  const missed = [];
  if (late.p50 >= GOAL_MS) missed.push(`the first word comes ${milliseconds(late.p50)} ms late`);
  if (added.p99 >= GOAL_MS)
    missed.push(
      `one first word of a hundred comes ${milliseconds(added.p99)} ms later than to a bare client`,
    );
  return missed;
}

/** How long after the twin had said them the last talks' first words were heard. */
async function lateness(standIns: StandIns, match: string, heard: number[]) {
  const said = (await toldByTwin(standIns, match)).slice(-TALKS);
  const late = heard.map((at, i) => at - (said[i] ?? Number.NaN));
  return { p50: median(late), p99: percentile(late, 0.99) };
}

const now = () => performance.timeOrigin + performance.now();

async function scriptTalks({ anthropic }: StandIns, match: string): Promise<void> {
  const turn = { blocks: [{ text: "Tentu, saya bantu sekarang juga." }], first_ms: FIRST_WORD_MS };
  const answer = await fetch(`${anthropic}/_scripts`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ match, turns: [turn], loop: true }),
  });
  if (!answer.ok) throw new Error(`the model's twin answered ${answer.status}`);
}

async function toldByTwin({ anthropic }: StandIns, match: string): Promise<number[]> {
  const answer = await fetch(`${anthropic}/_asked?match=${match}`);
  const { asked } = (await answer.json()) as { asked: { firstTextAt: number }[] };
  return asked.map(({ firstTextAt }) => firstTextAt);
}

interface Question {
  port: number;
  path: string;
  headers: Record<string, string>;
  body: string;
}

const chatOf = (port: number, token: string, message: string): Question => ({
  port,
  path: "/api/ai/chat",
  headers: { host: "localhost", authorization: `Bearer ${token}` },
  body: JSON.stringify({ message }),
});

const bareOf = ({ anthropic }: StandIns, message: string): Question => ({
  port: Number(new URL(anthropic).port),
  path: "/v1/messages",
  headers: { "x-api-key": TWIN_KEYS.anthropic.apiKey, "anthropic-version": "2023-06-01" },
  body: JSON.stringify({
    model: "claude-sonnet-4-6",
    max_tokens: 1024,
    stream: true,
    messages: [{ role: "user", content: message }],
  }),
});

/** Asks, and gives the moment when the first word came; waits for the end, so that talks do not overlap. */
function firstWord({ port, path, headers: own, body }: Question, mark: string): Promise<number> {
  const headers = {
    ...own,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const asking = request({ port, method: "POST", path, headers }, (answer) => {
      let first: number | undefined;
      answer.on("data", (chunk: Buffer) => {
        if (chunk.includes(mark)) first ??= now();
      });
      answer.on("error", reject);
      answer.on("end", () => {
        if (first === undefined) reject(new Error(`no word came, HTTP ${answer.statusCode}`));
        else resolve(first);
      });
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

async function seedSeller(adminUrl: string, jwtKeys: string): Promise<string> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      `with u as (
          insert into identity_users (email, name, password_hash, roles)
          values ('bench-asisten@bench.example', 'Penjual', 'x', '{seller}') returning id, roles),
        s as (insert into identity_sessions (user_id, expires_at) select id, now() + interval '7 days' from u
          returning id)
        select u.id, u.roles, s.id as session from u, s`,
    );
    const [row] = rows;
    const [kid = "", secret = ""] = jwtKeys.split(":");
    const claims = { id: Number(row.id), phone: null, sid: row.session, roles: row.roles };
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid })
      .setExpirationTime("7 days")
      .sign(new TextEncoder().encode(secret));
  } finally {
    await client.end();
  }
}

if (import.meta.main) {
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const missed = await benchAssistant((stop) => stops.push(stop));
    console.log(missed.length === 0 ? "All goals are met." : missed.join("\n"));
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
