import { setTimeout as delay } from "node:timers/promises";
import { Client, neon, neonConfig, Pool } from "@neondatabase/serverless";
import { afterEach, describe, expect, test } from "vitest";
import { startNeonEndpoint } from "./endpoint.ts";
import { direct, uniqueName, useRig } from "./testing.ts";

const rig = useRig();
const client = () => neon(rig().databaseUrl);

afterEach(() => {
  rig().endpoint.setLatency(0);
  rig().endpoint.setOutage({ on: false });
});

async function withPool<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = new Pool({ connectionString: rig().databaseUrl });
  pool.on("error", () => undefined);
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

async function put(path: string, body: unknown): Promise<number> {
  const response = await fetch(rig().endpoint.url + path, {
    method: "PUT",
    body: JSON.stringify(body),
  });
  await response.body?.cancel();
  return response.status;
}

describe("the WebSocket pipe", () => {
  test("carries an interactive transaction of the driver's Pool", async () => {
    const name = uniqueName();
    await client().query(`create table ${name} (n int)`);
    await withPool(async (pool) => {
      const connection = await pool.connect();
      await connection.query("begin");
      const inserted = await connection.query(`insert into ${name} values ($1) returning n`, [5]);
      expect(inserted.rows).toEqual([{ n: 5 }]);
      expect(await client().query(`select n from ${name}`)).toEqual([]);
      await connection.query("commit");
      connection.release();
    });
    expect(await client().query(`select n from ${name}`)).toEqual([{ n: 5 }]);
  });

  test("carries megabytes both ways", async () => {
    const words = "x".repeat(5_000_000);
    const result = await withPool((pool) => pool.query("select $1::text as words", [words]));
    expect(result.rows[0].words).toBe(words);
  });

  test("refuses a wrong password", async () => {
    const wrong = new Client(rig().databaseUrl.replace("lumbung:lumbung@", "lumbung:wrong@"));
    wrong.on("error", () => undefined);
    // The driver sends the password unasked and lets connect() succeed at once: only a query can tell.
    await wrong.connect();
    await expect(wrong.query("select 1")).rejects.toMatchObject({ code: "28P01" });
  });
});

describe("counting", () => {
  test("counts calls per request id, a batch as one", async () => {
    const requestId = crypto.randomUUID();
    const total = rig().endpoint.counts().total;
    neonConfig.fetchFunction = (url: string, init: RequestInit) =>
      fetch(url, { ...init, headers: { ...init.headers, "x-request-id": requestId } });
    const sql = client();
    await sql.query("select 1");
    await sql.transaction([sql.query("select 1"), sql.query("select 2")]);
    neonConfig.fetchFunction = undefined;
    await sql.query("select 1");
    const read = await fetch(`${rig().endpoint.url}/_counts?request_id=${requestId}`);
    expect(await read.json()).toEqual({ requestId, count: 2 });
    expect(rig().endpoint.counts().total - total).toBe(3);
  });

  test("starts from zero after a DELETE", async () => {
    await client().query("select 1");
    const reset = await fetch(`${rig().endpoint.url}/_counts`, { method: "DELETE" });
    expect(await reset.json()).toEqual({ total: 0, refused: 0, pipes: 0, requests: {} });
  });
});

describe("latency", () => {
  test("delays each HTTP round trip, a batch once", async () => {
    expect(await put("/_latency", { ms: 200 })).toBe(200);
    const sql = client();
    const started = performance.now();
    await sql.transaction([sql.query("select 1"), sql.query("select 2"), sql.query("select 3")]);
    const tookMs = performance.now() - started;
    expect(tookMs).toBeGreaterThanOrEqual(198);
    expect(tookMs).toBeLessThan(3 * 200);
  });

  test("delays each round trip on the pipe and keeps the bytes in order", async () => {
    await withPool(async (pool) => {
      const connection = await pool.connect();
      rig().endpoint.setLatency(60);
      const started = performance.now();
      await connection.query("select 1");
      expect(performance.now() - started).toBeGreaterThanOrEqual(58);
      const rows = await connection.query("select generate_series(1, 50000)::text as n");
      expect(rows.rows.map((row) => Number(row.n))).toEqual(
        Array.from({ length: 50_000 }, (_, n) => n + 1),
      );
      connection.release();
    });
  });

  test("refuses rubbish", async () => {
    expect(await put("/_latency", { ms: "soon" })).toBe(400);
  });
});

describe("an outage", () => {
  test("breaks every call until it is turned off", async () => {
    expect(await put("/_outage", { on: true })).toBe(200);
    await expect(client().query("select 1")).rejects.toThrow("Error connecting to database");
    expect(await put("/_outage", { on: false })).toBe(200);
    expect(await client().query("select 1 as n")).toEqual([{ n: 1 }]);
  });

  test("may answer 503 instead", async () => {
    await put("/_outage", { ms: 60_000, mode: "503" });
    await expect(client().query("select 1")).rejects.toThrow("HTTP status 503");
  });

  test("may lose only the answer, the statement having run", async () => {
    const name = uniqueName();
    await put("/_outage", { on: true, mode: "lose-answer" });
    await expect(client().query(`create table ${name} ()`)).rejects.toThrow();
    const found = await direct(rig(), (pg) => pg.query("select to_regclass($1) as t", [name]));
    expect(found.rows).toEqual([{ t: name }]);
  });

  test("may be a silence after which everything is done", async () => {
    const name = uniqueName();
    await put("/_outage", { on: true, mode: "freeze" });
    const made = client().query(`create table ${name} ()`);
    const silent = Promise.race([made, delay(200, "silent")]);
    const found = () => direct(rig(), (pg) => pg.query("select to_regclass($1) as t", [name]));
    expect([await silent, (await found()).rows]).toEqual(["silent", [{ t: null }]]);
    await put("/_outage", { on: false });
    await made;
    expect((await found()).rows).toEqual([{ t: name }]);
  });

  test("ends by itself when its time is over", async () => {
    rig().endpoint.setOutage({ ms: 0 });
    expect(await client().query("select 1 as n")).toEqual([{ n: 1 }]);
  });

  test("cuts open pipes and refuses new ones", async () => {
    const open = new Client(rig().databaseUrl);
    const cut = new Promise((resolve) => open.on("error", resolve));
    await open.connect();
    await open.query("select 1");
    rig().endpoint.setOutage({ on: true });
    await cut;
    const late = new Client(rig().databaseUrl);
    late.on("error", () => undefined);
    await expect(late.connect()).rejects.toBeDefined();
  });
});

test("a statement that never ends does not keep the endpoint from stopping", async () => {
  const endpoint = await startNeonEndpoint({ postgresPort: rig().postgres.port });
  const call = fetch(`${endpoint.url}/sql`, {
    method: "POST",
    headers: {
      "neon-connection-string": rig().databaseUrl,
      "neon-raw-text-output": "true",
    },
    body: JSON.stringify({ query: "select pg_sleep(600)" }),
  });
  const lost = expect(call).rejects.toThrow();
  await expect.poll(() => endpoint.counts().total).toBe(1);
  await endpoint.stop();
  await lost;
});

test("a taken port is named in clear words", async () => {
  const { endpoint, postgres } = rig();
  const second = startNeonEndpoint({ postgresPort: postgres.port, port: endpoint.port });
  await expect(second).rejects.toThrow(`Port ${endpoint.port} on 127.0.0.1 is taken`);
});
