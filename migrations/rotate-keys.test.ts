import { setImmediate } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seal, unseal } from "../shared/crypto/seal.ts";
import { rotateKeys } from "./rotate-keys.ts";
import { SEALED_COLUMNS } from "./sealed-columns.ts";

const OLD: [string, string] = ["lama", "0123456789abcdefghijklmnopqrstuv"];
const NEW: [string, string] = ["baru", "vutsrqponmlkjihgfedcba9876543210"];
const GONE: [string, string] = ["hilang", "zyxwvutsrqponmlkjihgfedcba987654"];
const url = inject("standIns").adminUrl;
let client: pg.Client;

beforeAll(async () => {
  client = new pg.Client({ connectionString: url });
  await client.connect();
});
afterAll(() => client.end());

/** Servers, for they need nothing beside them; `under` seals each, and null stands for one without a key. */
async function servers(under: ([string, string] | null)[]): Promise<string[]> {
  const ids: string[] = [];
  for (const key of under) {
    const id = crypto.randomUUID();
    const sealed =
      key && (await seal({ SEALING_KEYS: [key] }, `hosting-server/${id}`, `rahasia ${id}`));
    await client.query(
      `insert into hosting_servers (id, name, driver, base_url, sealed_key, web_address, ftp_host, sites_path, capacity)
       values ($1, 'uji', 'aapanel', $2, $3, '127.0.0.1', '127.0.0.1', '/www/wwwroot', 0)`,
      [id, `https://${id}.example`, sealed],
    );
    ids.push(id);
  }
  return ids;
}

const sealedOf = async (id: string): Promise<string> =>
  (await client.query("select sealed_key from hosting_servers where id = $1", [id])).rows[0]
    .sealed_key;

const columns = SEALED_COLUMNS.filter(({ table }) => table === "hosting_servers");
const opened = async (id: string, keys: [string, string][]) =>
  unseal({ SEALING_KEYS: keys }, `hosting-server/${id}`, await sealedOf(id));

/** Returns once somebody waits for what this connection holds; asked from outside, where the answer can change. */
async function heldUp(holder: pg.Client): Promise<void> {
  const { rows } = await holder.query("select pg_backend_pid() as pid");
  const query = `select exists (select from pg_stat_activity a
    where $1::int = any (pg_blocking_pids(a.pid))) as is_held`;
  while (!(await client.query(query, [rows[0].pid])).rows[0].is_held) await setImmediate();
}

describe("rotating the sealing keys", () => {
  it("seals all again under the first key, in bounded batches, so that the old one can go", async () => {
    const ids = await servers([OLD, OLD, NEW, OLD, OLD, OLD]);
    const done = await rotateKeys(url, [NEW, OLD], { batch: 2, columns });
    expect(done.resealed).toBeGreaterThanOrEqual(5);
    for (const id of ids) expect(await opened(id, [NEW])).toBe(`rahasia ${id}`);
  });

  it("is done once: a second run, and one that was stopped half-way, find the rest", async () => {
    const ids = await servers([OLD, OLD, OLD]);
    const stopping = rotateKeys(url, [NEW, OLD], { batch: 1, columns });
    const beside = rotateKeys(url, [NEW, OLD], { batch: 2, columns });
    const both = await Promise.all([stopping, beside]);
    expect(both[0].resealed + both[1].resealed).toBe(3);
    const all = async () => {
      const sealed: string[] = [];
      for (const id of ids) sealed.push(await sealedOf(id));
      return sealed;
    };
    const sealed = await all();
    expect((await rotateKeys(url, [NEW, OLD], { columns })).resealed).toBe(0);
    expect(await all()).toEqual(sealed);
  });

  it("finds what somebody seals under the old key behind its back", async () => {
    const [id = ""] = await servers([OLD]);
    const again = await seal({ SEALING_KEYS: [OLD] }, `hosting-server/${id}`, "diganti");
    const worker = new pg.Client({ connectionString: url });
    await worker.connect();
    await worker.query("begin");
    const change = "update hosting_servers set sealed_key = $2 where id = $1";
    await worker.query(change, [id, again]);
    const rotating = rotateKeys(url, [NEW, OLD], { columns });
    await heldUp(worker);
    await worker.query("commit");
    await worker.end();
    expect(await rotating).toMatchObject({ isOvertaken: false });
    expect(await opened(id, [NEW])).toBe("diganti");
  });

  it("does not take a key for the new one whose name begins like it", async () => {
    const older: [string, string] = ["baru.1", OLD[1]];
    const [id = ""] = await servers([older]);
    await rotateKeys(url, [NEW, older], { columns });
    expect(await opened(id, [NEW])).toBe(`rahasia ${id}`);
  });

  it("leaves what none of the keys opens, says where it is, and goes on behind it", async () => {
    const [lost = "", fine = ""] = await servers([GONE, OLD]);
    const before = await sealedOf(lost);
    const { unopened } = await rotateKeys(url, [NEW, OLD], { batch: 1, columns });
    expect(unopened).toContain(`hosting_servers.sealed_key ${lost}`);
    expect([await sealedOf(lost), await opened(fine, [NEW])]).toEqual([before, `rahasia ${fine}`]);
  });

  it("reaches into JSON, as column and as text, and touches nothing else there", async () => {
    const id = crypto.randomUUID();
    const original = await seal({ SEALING_KEYS: [OLD] }, "topup-callback", "isi");
    const target = await seal({ SEALING_KEYS: [OLD] }, "topup-callback", "0812");
    const body = JSON.stringify({ v: 1, trxid: "X", original, target });
    await client.query(
      `insert into inbox_events (id, provider, event_key, body, received_at)
       values ($1, 'vip-reseller', $2, $3, now()), (gen_random_uuid(), 'midtrans', $2, 'bukan json', now())`,
      [id, id, body],
    );
    await rotateKeys(url, [NEW, OLD]);
    const { rows } = await client.query(
      "select body::jsonb as body from inbox_events where id = $1",
      [id],
    );
    const { original: again, target: goal, ...rest } = rows[0].body;
    expect(rest).toEqual({ v: 1, trxid: "X" });
    expect(await unseal({ SEALING_KEYS: [NEW] }, "topup-callback", again)).toBe("isi");
    expect(await unseal({ SEALING_KEYS: [NEW] }, "topup-callback", goal)).toBe("0812");
  });

  it("opens each callback of the supplier for what it was sealed as; one of a list may have none", async () => {
    const owners = {
      "vip-reseller": "topup-callback",
      "vip-reseller-refused": "topup-callback-refused",
    };
    const key = crypto.randomUUID();
    const shelved = await seal({ SEALING_KEYS: [OLD] }, owners["vip-reseller-refused"], "isi");
    await client.query(
      `insert into inbox_events (provider, event_key, body, received_at)
       values ('vip-reseller-refused', $1 || '/3', $2, now())`,
      [key, JSON.stringify({ v: 2, key: shelved })],
    );
    for (const [provider, owner] of Object.entries(owners)) {
      const original = await seal({ SEALING_KEYS: [OLD] }, owner, "isi");
      await client.query(
        `insert into inbox_events (provider, event_key, body, received_at)
         values ($1, $2, $3, now()), ($1, $2 || '/2', '{"original": null}', now())`,
        [provider, key, JSON.stringify({ original })],
      );
    }
    expect((await rotateKeys(url, [NEW, OLD])).unopened.join()).not.toContain("inbox_events");
    const { rows: keys } = await client.query(
      "select body::jsonb->>'key' as key from inbox_events where event_key = $1 || '/3'",
      [key],
    );
    const again = await unseal(
      { SEALING_KEYS: [NEW] },
      owners["vip-reseller-refused"],
      keys[0].key,
    );
    expect(again).toBe("isi");
    for (const [provider, owner] of Object.entries(owners)) {
      const { rows } = await client.query(
        "select body::jsonb->>'original' as original from inbox_events where provider = $1 and event_key = $2",
        [provider, key],
      );
      expect(await unseal({ SEALING_KEYS: [NEW] }, owner, rows[0].original)).toBe("isi");
    }
  });

  it("knows every column that is named as sealed", async () => {
    const { rows } = await client.query(
      `select table_name as table, column_name as column from information_schema.columns
       where table_schema = 'public' and (column_name like 'sealed\\_%' or column_name like '%\\_enc')`,
    );
    const known = SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`);
    const missing = rows
      .map(({ table, column }) => `${table}.${column}`)
      .filter((name) => !known.includes(name));
    expect(missing).toEqual([]);
  });
});
