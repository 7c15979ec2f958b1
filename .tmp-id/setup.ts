import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import pg from "pg";
import { startPostgres } from "../local/postgres.ts";

export async function rig() {
  const server = await startPostgres();
  const pool = new pg.Pool({
    connectionString: server.url("postgres"),
    max: 60,
    types: { getTypeParser: () => (v: string) => v } as never,
  });
  pool.on("error", () => {});
  const file = readdirSync("migrations").find((f) => f.startsWith("0000"))!;
  await pool.query(readFileSync(`migrations/${file}`, "utf8"));
  for (const f of readdirSync("migrations/functions").sort().filter((f) => /^(00_|identity|ledger)/.test(f)))
    await pool.query(readFileSync(`migrations/functions/${f}`, "utf8"));
  const trips = new Map<string, number>();
  const http = createServer((req, res) => {
    let text = "";
    req.on("data", (d) => (text += d));
    req.on("end", async () => {
      const id = String(req.headers["x-request-id"]);
      trips.set(id, (trips.get(id) ?? 0) + 1);
      const b = JSON.parse(text);
      const list = b.queries ?? [b];
      const c = await pool.connect();
      try {
        const out = [];
        if (b.queries) await c.query("begin");
        for (const q of list) {
          const r = (await c.query({
            text: q.query,
            values: q.params,
            rowMode:
              (q.arrayMode ?? req.headers["neon-array-mode"] === "true") ? "array" : undefined,
          } as never)) as any;
          out.push({
            fields: r.fields,
            rows: r.rows,
            rowCount: r.rowCount,
            command: r.command,
            rowAsArray: q.arrayMode,
          });
        }
        if (b.queries) await c.query("commit");
        res.end(JSON.stringify(b.queries ? { results: out } : out[0]));
      } catch (e: any) {
        await c.query("rollback");
        res.statusCode = 400;
        res.end(
          JSON.stringify({
            message: e.message,
            code: e.code,
            hint: e.hint,
            detail: e.detail,
            constraint: e.constraint,
          }),
        );
      } finally {
        c.release();
      }
    });
  });
  await new Promise<void>((r) => http.listen(0, "127.0.0.1", () => r()));
  const url = `http://127.0.0.1:${(http.address() as any).port}`;
  return { url, stop: async () => { http.close(); http.closeAllConnections(); await pool.end(); await server.stop(); } };
}

export default async function setup(project: any) {
  const r = await rig();
  project.provide("settings", { DATABASE_URL: "postgresql://a:b@x.localhost/db", DATABASE_HTTP_URL: r.url, JWT_KEYS: "k:" + "x".repeat(32), SIGNING_KEY: "y".repeat(32), APP_URL: "http://localhost:8787", STORE_DOMAIN: "localhost", RATE_LIMIT_FACTOR: "1", MIDTRANS_SERVER_KEY: "x".repeat(20), MIDTRANS_CORE_URL: "http://127.0.0.1:1", MIDTRANS_SNAP_URL: "http://127.0.0.1:1", KIRIMINAJA_API_KEY: "x".repeat(20), KIRIMINAJA_URL: "http://127.0.0.1:1", RESEND_API_KEY: "xxxxx", RESEND_URL: "http://127.0.0.1:1" });
  project.provide("standIns", { databaseHttpUrl: r.url });
  return r.stop;
}
