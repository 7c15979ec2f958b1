import { execFile } from "node:child_process";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { seal, unseal } from "../shared/crypto/seal.ts";
import { rotateKeys } from "./rotate-keys.ts";
import { SEALED_COLUMNS, type SealedColumn } from "./sealed-columns.ts";

const OLD: [string, string] = ["lama", "0123456789abcdefghijklmnopqrstuv"];
const NEW: [string, string] = ["baru", "vutsrqponmlkjihgfedcba9876543210"];
const ROWS = 5;

const name = `rotate_${crypto.randomUUID().replaceAll("-", "")}`;
const { adminUrl } = inject("standIns");
const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
let client: pg.Client;

const asAdmin = async (text: string) => {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(text).finally(() => admin.end());
};

beforeAll(async () => {
  await asAdmin(`create database ${name} template lumbung_template`);
  client = new pg.Client({ connectionString: url });
  await client.connect();
  // Rows of every domain that stand for themselves: what they would need around them is not this test's.
  await client.query("set session_replication_role = replica");
  for (const table of new Set(SEALED_COLUMNS.map((column) => column.table))) await fill(table);
  for (const column of SEALED_COLUMNS) await sealAll(column);
});
afterAll(async () => {
  await client.end();
  await asAdmin(`drop database ${name} with (force)`);
});

const VALUES: Record<string, string> = {
  uuid: "gen_random_uuid()",
  bigint: "(random() * 1e15)::bigint",
  integer: "1",
  text: "gen_random_uuid()::text",
  "timestamp with time zone": "now()",
  boolean: "false",
  jsonb: "'{}'",
  ARRAY: "'{}'",
};

/** Rows with something in each column that wants it, and none of the table's own rules. */
async function fill(table: string): Promise<void> {
  const rules = await client.query(
    "select conname from pg_constraint where conrelid = $1::regclass and contype = 'c'",
    [table],
  );
  for (const { conname } of rules.rows) {
    await client.query(`alter table ${table} drop constraint ${conname}`);
  }
  const { rows } = await client.query(
    `select column_name as name, data_type as type from information_schema.columns
     where table_name = $1 and is_nullable = 'NO' and column_default is null
       and is_identity = 'NO' and is_generated = 'NEVER'`,
    [table],
  );
  const columns = rows.map((row) => row.name).join(", ");
  const values = rows.map((row) =>
    row.name === "provider"
      ? "case when n % 2 = 0 then 'vip-reseller' else 'vip-reseller-refused' end"
      : VALUES[row.type],
  );
  await client.query(
    `insert into ${table} (${columns}) select ${values.join(", ")} from generate_series(1, ${ROWS}) n`,
  );
}

const sealedIn = ({ column, field }: SealedColumn) =>
  field ? `(${column}::jsonb->>'${field.name}')` : column;

const meant = ({ only }: SealedColumn) => `where ${only ?? "true"}`;

async function sealAll(place: SealedColumn): Promise<void> {
  const { table, column, key, owner, field } = place;
  const { rows } = await client.query(
    `select ${key} as key, ${owner} as owner from ${table} ${meant(place)}`,
  );
  // Beside what another field of it holds.
  const value = field
    ? `((case when ${column}::text like '{%' then ${column}::text else '{}' end)::jsonb
        || jsonb_build_object('${field.name}', $2::text))::${field.type}`
    : "$2";
  for (const row of rows) {
    const sealed = await seal({ SEALING_KEYS: [OLD] }, row.owner, `rahasia ${row.key}`);
    await client.query(`update ${table} set ${column} = ${value} where ${key} = $1`, [
      row.key,
      sealed,
    ]);
  }
}

/** Texts of a column, opened with these keys only; null: not opened. */
async function opened(place: SealedColumn, keys: [string, string][]): Promise<(string | null)[]> {
  const { rows } = await client.query(
    `select ${place.owner} as owner, ${sealedIn(place)} as sealed from ${place.table} ${meant(place)} order by ${place.key}`,
  );
  return await Promise.all(
    rows.map((row) => unseal({ SEALING_KEYS: keys }, row.owner, row.sealed)),
  );
}

/** A shop's tokens renewed as a Worker does it, which has these keys, the one that seals in front. */
async function renew(worker: pg.Client, id: string, keys: [string, string][]): Promise<void> {
  const ask = async (what: string, input: object) =>
    (await worker.query(`select ${what}($1::jsonb) as told`, [JSON.stringify(input)])).rows[0].told;
  const config = { SEALING_KEYS: keys };
  const owner = (which: string) => `market-connection/${id}/${which}`;
  const asked = { connection_id: id, margin_seconds: 600, lease_seconds: 60 };
  const given = await ask("market_marketplace_tokens", asked);
  expect(given.state).toBe("renew");
  const used = await unseal(config, owner("refresh"), given.refresh_token_enc);
  expect(used).not.toBeNull();
  const kept = await ask("market_marketplace_renewed", {
    connection_id: id,
    generation: given.generation,
    access_token_enc: await seal(config, owner("access"), `${used} a`),
    refresh_token_enc: await seal(config, owner("refresh"), `${used} r`),
    access_expires_at: new Date(Date.now() + 60_000).toISOString(),
  });
  expect(kept).toBe(true);
}

const command = (keys: [string, string][]) =>
  new Promise<{ code: unknown; out: string }>((resolve) => {
    const SEALING_KEYS = keys.map((key) => key.join(":")).join(",");
    const env = { ...process.env, DATABASE_URL: url, SEALING_KEYS };
    execFile(
      process.execPath,
      [join(import.meta.dirname, "rotate-keys.ts")],
      { env },
      (error, out) => resolve({ code: error?.code ?? 0, out }),
    );
  });

it("the command seals everything of a filled database under the new key while a Worker renews tokens; the old key can go", async () => {
  await client.query(
    "update market_connections set status = 'connected', access_expires_at = now(), shop_id = id::text",
  );
  const { rows: shops } = await client.query("select id from market_connections order by id");
  let isOver = false;
  const rotated = command([NEW, OLD]).finally(() => {
    isOver = true;
  });
  let renewals = 0;
  // At least once each, and on and on for as long as the command is at work.
  for (let round = 0; round === 0 || !isOver; round += 1) {
    for (const { id } of shops) {
      await renew(client, id, [NEW, OLD]);
      renewals += 1;
    }
  }
  const { code, out } = await rotated;
  expect([code, out]).toEqual([0, expect.stringContaining("; 0 left as they were")]);
  expect(renewals).toBeGreaterThanOrEqual(ROWS);
  for (const column of SEALED_COLUMNS) {
    const texts = await opened(column, [NEW]);
    expect(texts.length).toBeGreaterThanOrEqual(column.only ? 2 : ROWS);
    expect([column.column, texts.filter((text) => !text)]).toEqual([column.column, []]);
  }
  for (const { id } of shops) await renew(client, id, [NEW]);
});

it("an older key that somebody goes on sealing with is told", async () => {
  await client.query("set session_replication_role = origin");
  await client.query(`create function stubborn() returns trigger language plpgsql as
    'begin new.sealed_key := old.sealed_key; return new; end'`);
  await client.query(
    "create trigger stubborn before update on hosting_servers for each row execute function stubborn()",
  );
  const keys: [string, string][] = [OLD, NEW];
  const columns = SEALED_COLUMNS.filter(({ table }) => table === "hosting_servers");
  expect(await rotateKeys(url, keys, { columns })).toMatchObject({
    ...{ isOvertaken: true, unopened: [] },
  });
});
