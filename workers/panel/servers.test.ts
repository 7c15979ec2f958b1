import { env } from "cloudflare:test";
import { type SQL, sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, type TestCall, testContext } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { archiveKey } from "./backups/objects.ts";
import { enrolledServer, newServer } from "./testing/agents.ts";
import { trailOf } from "./testing/operators.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

const call = (method: string, path: string, more: TestCall = {}) =>
  api(`/v1/servers${path}`, { method, token: operator.token, ...more });

const failure = (status: number, message: string) => ({
  status,
  body: failureBody("panel", status, message),
});

const countDefaults = async () => {
  const [row] = await testContext().db.run(
    rows(
      sql`select count(*)::int as n from panel_servers where is_default`,
      z.object({ n: z.number() }),
    ),
  );
  return row?.n;
};

describe("making a server", () => {
  it("answers with the server and a token that is shown this once", async () => {
    const name = unique("Server ");
    const made = await call("POST", "", { json: { name } });
    expect(made).toMatchObject({
      status: 201,
      body: {
        server: { id: expect.stringMatching(/^srv_\d+_[0-9a-f]{12}$/), name, enrolled: false },
        enrolment: { token: expect.stringMatching(/^[\w-]{43}$/) },
      },
    });
    const { server, enrolment } = made.body;
    const [before, after] = enrolment.command.split(` | sudo node nusantarad.mjs install --url `);
    expect([before, after]).toEqual([
      `printf %s '${enrolment.token}'`,
      expect.stringMatching(/^http\S+$/),
    ]);
    const hourAway = Date.parse(enrolment.expires_at) - Date.now();
    expect(Math.abs(hourAway - 3_600_000)).toBeLessThan(60_000);
    const shown = await call("GET", `/${server.id}`);
    expect(shown.body).toMatchObject({ id: server.id, online: false, link: { connected: false } });
    expect(JSON.stringify(shown.body)).not.toContain(enrolment.token);
    const listed = await call("GET", "");
    expect(listed.body.items.map(({ id }: { id: string }) => id)).toContain(server.id);
    expect(listed.body.items[0].is_default).toBe(true);
  });

  it("leaves exactly one default, however many are made at once", async () => {
    await Promise.all(Array.from({ length: 5 }, () => newServer(operator)));
    expect(await countDefaults()).toBe(1);
  });

  it.each([
    [{ name: "" }, "invalid name"],
    [{ name: "a\nb" }, "invalid name"],
    [{ name: "<script>" }, "invalid name"],
    [{ name: "x".repeat(64) }, "invalid name"],
    [{}, "invalid json body"],
    [{ name: 7 }, "invalid json body"],
    [{ name: "Baik", role: "admin" }, "invalid json body"],
  ])("refuses %j", async (json, words) => {
    expect(await call("POST", "", { json })).toMatchObject(failure(400, words));
  });

  it("refuses a name that is there, in any case", async () => {
    const name = unique("Server ");
    await call("POST", "", { json: { name } });
    const again = await call("POST", "", { json: { name: name.toUpperCase() } });
    expect(again).toMatchObject(failure(409, "server name already exists"));
  });
});

describe("changing a server", () => {
  it("renames it, or makes it the default in place of another", async () => {
    const [{ id }, name] = [await newServer(operator), unique("Lain ")];
    expect(await call("PATCH", `/${id}`, { json: { name } })).toMatchObject({
      status: 200,
      body: { id, name },
    });
    const [before] = (await call("GET", "")).body.items;
    const changed = await call("PATCH", `/${id}`, { json: { is_default: true } });
    expect(changed.body).toMatchObject({ name, is_default: true });
    expect(await countDefaults()).toBe(1);
    await call("PATCH", `/${before.id}`, { json: { is_default: true } });
  });

  it.each([
    [{}, "nothing to change"],
    [{ name: "" }, "invalid name"],
    [{ is_default: false }, "invalid is_default"],
    [{ public_key: "x" }, "invalid json body"],
  ])("refuses %j", async (json, words) => {
    const { id } = await newServer(operator);
    expect(await call("PATCH", `/${id}`, { json })).toMatchObject(failure(400, words));
  });
});

describe("a server that there is not", () => {
  it.each([
    ["GET", ""],
    ["PATCH", ""],
    ["DELETE", ""],
    ["POST", "/enrolment"],
  ])("is answered with 404 at %s %s", async (method, rest) => {
    const json = method === "PATCH" ? { json: { name: unique("S ") } } : {};
    for (const id of ["srv_1_000000000000", "..%2f", "%27%20or%201%3D1"]) {
      const answer = await call(method, `/${id}${rest}`, json);
      expect(answer).toMatchObject(failure(404, "server not found"));
    }
  });
});

describe("forgetting a server", () => {
  it("ends it with its tokens and its agent's key", async () => {
    const server = await enrolledServer(operator);
    expect(await call("DELETE", `/${server.id}`)).toMatchObject({
      status: 200,
      body: { status: "ok" },
    });
    expect(await call("GET", `/${server.id}`)).toMatchObject(failure(404, "server not found"));
  });

  it("is refused while a site is on it, or a job of it has not ended", async () => {
    const [full, busy] = [await newServer(operator), await newServer(operator)];
    const run = (text: ReturnType<typeof sql>) => testContext().db.run(rows(text, z.unknown()));
    const word = unique("situs");
    await run(sql`insert into panel_sites (id, server_id, domain, root_path, runtime, unix_user)
      values (${`site_1_${word.slice(-12)}`}, ${full.id}, ${`${word}.example`}, ${`/var/www/${word}`}, 'static', ${word})`);
    expect(await call("DELETE", `/${full.id}`)).toMatchObject(failure(409, "server is not empty"));
    await run(sql`select panel_start_command(jsonb_build_object('id', ${unique("job_1_")}::text, 'server', ${busy.id}::text,
      'subject', 'db', 'type', 'create_database', 'command', 'db.create', 'deadline_ms', 60000))`);
    expect(await call("DELETE", `/${busy.id}`)).toMatchObject(
      failure(409, "server has unfinished jobs"),
    );
  });

  it("in the moment in which something is ordered of it makes that 404, never a failure of ours", async () => {
    const { id } = await newServer(operator);
    const run = async (query: SQL) => await testContext().db.run(rows(query, z.unknown()));
    const input = JSON.stringify({ id });
    const gone = run(sql`select panel_server_delete(${input}::jsonb)::text, pg_sleep(0.5)`);
    await expect
      .poll(() => run(sql`select from panel_servers where id = ${id} for update skip locked`))
      .toEqual([]);
    const name = unique("situs");
    const orders = [
      ["db/databases", { name: "toko" }],
      ["sites", { domain: `${name}.example`, root_path: `/var/www/${name}`, runtime: "php" }],
      ["backup/run", {}],
    ] as const;
    const answers = orders.map(([path, json]) =>
      api(`/v1/${path}?server=${id}`, { method: "POST", token: operator.token, json }),
    );
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject(failure(404, "server not found"));
    }
    await gone;
  });

  it("is refused for the default one while there are others, by force too", async () => {
    await newServer(operator);
    const [first] = (await call("GET", "")).body.items;
    for (const query of ["", "?force=true"]) {
      expect(await call("DELETE", `/${first.id}${query}`)).toMatchObject(
        failure(409, "server is the default one"),
      );
    }
  });
});

describe("forgetting a dead server by force", () => {
  const run = async (text: SQL) => await testContext().db.run(rows(text, z.unknown()));
  const newSite = (id: string) => {
    const name = unique("situs");
    const json = { domain: `${name}.example`, root_path: `/var/www/${name}`, runtime: "php" };
    return api(`/v1/sites?server=${id}`, { method: "POST", token: operator.token, json });
  };
  const newCopy = async (id: string) => {
    const backup = crypto.randomUUID();
    await run(sql`insert into panel_backups (id, server_id, name, kind, state, origin, subject, r2_state, file, bytes, plain_bytes,
        sha256, manifest_sha256, counts, created_at)
      values (${backup}, ${id}, ${unique("b")}, 'database', 'stored', 'schedule', 'toko', 'verified', '/b/b', 1, 1, 'x', 'x', '{}', now())`);
    const key = archiveKey({ id: backup, serverId: id });
    await env.ASSETS_BUCKET.put(key, "x");
    return key;
  };

  it("takes its sites, its backups with their copies and its open jobs with it, and says so in the trail", async () => {
    const { id } = await enrolledServer(operator);
    const other = await newServer(operator);
    const { domain } = (await newSite(id)).body.site;
    const [key, kept] = [await newCopy(id), await newCopy(other.id)];
    for (const heard of ["seen_at", "enrolled_at"]) {
      await run(sql`update panel_servers set created_at = now() - interval '2 days',
        enrolled_at = now() - interval '2 days', seen_at = now() - interval '25 hours' where id = ${id}`);
      await run(
        sql`update panel_servers set ${sql.raw(heard)} = now() - interval '23 hours' where id = ${id}`,
      );
      expect(await call("DELETE", `/${id}?force=true`)).toMatchObject(
        failure(409, "server was heard within a day"),
      );
    }
    await run(
      sql`update panel_servers set enrolled_at = now() - interval '2 days' where id = ${id}`,
    );
    expect(await call("DELETE", `/${id}`)).toMatchObject(
      failure(409, "server has unfinished jobs"),
    );
    expect(await env.ASSETS_BUCKET.head(key)).not.toBeNull();
    expect(await call("DELETE", `/${id}?force=true`)).toMatchObject({ status: 200 });
    expect(await env.ASSETS_BUCKET.head(key)).toBeNull();
    expect(await env.ASSETS_BUCKET.head(kept)).not.toBeNull();
    expect(await call("GET", `/${id}`)).toMatchObject(failure(404, "server not found"));
    const json = { domain, root_path: `/var/www/${domain}`, runtime: "php" };
    const again = { method: "POST", token: operator.token, json };
    expect((await api(`/v1/sites?server=${other.id}`, again)).status).toBe(201);
    const trail = await trailOf(operator, { target_type: "server", target_id: id });
    const given = trail.find(({ action }) => action === "server.give_up");
    expect(JSON.parse(given?.metadata ?? "")).toEqual({ sites: [domain], backups: 1 });
    expect(trail[0]).toMatchObject({ action: "server.delete", metadata: '{"force": true}' });
  });

  it.each(["ya", ""])("is refused where the flag is %j", async (word) => {
    const { id } = await newServer(operator);
    expect(await call("DELETE", `/${id}?force=${word}`)).toMatchObject(
      failure(400, "invalid force flag"),
    );
  });
});

describe("the audit trail of servers", () => {
  it("tells what was done and what was refused, without any token", async () => {
    const { id, token } = await newServer(operator);
    await call("POST", `/${id}/enrolment`);
    await call("PATCH", `/${id}`, { json: { name: unique("Server ") } });
    const buyer = await createUser(["admin"]);
    const refused = await call("DELETE", `/${id}`, { token: buyer.token });
    expect(refused).toMatchObject(failure(403, "forbidden"));
    const trail = async () => await trailOf(operator, { target_type: "server", target_id: id });
    await expect
      .poll(async () => (await trail()).map(({ action }) => action))
      .toEqual(["server.delete.refused", "server.change", "server.enrolment", "server.create"]);
    expect(JSON.stringify(await trail())).not.toContain(token);
  });
});
