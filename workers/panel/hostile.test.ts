import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { COMMANDS } from "../../shared/agent-protocol/index.ts";
import { rows } from "../../shared/db/statement.ts";
import { api, testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { enrolledServer, type TestServer } from "./testing/agents.ts";
import { hostileText, ODD, randomOf } from "./testing/hostile.ts";
import { type ScriptedAgent, scripted } from "./testing/scripted.ts";
import {
  aliases,
  certificateEmail,
  databaseName,
  databasePassword,
  databaseUser,
  databaseUserHost,
  documentRoot,
  domain,
  entryFile,
  php,
  rootPath,
  runtimeWord,
} from "./words.ts";

const SEED = 20_261_121;
const EACH = 1_500;

/** What an accepted value may be made of, said once more and apart from the words. */
const FIELDS: [string, z.ZodType, string, RegExp][] = [
  ["domain", domain, "contoh.web.id", /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,251}[a-z0-9]$/],
  ["root_path", rootPath, "/var/www/contoh", /^(\/(?!\.\.?(\/|$))[A-Za-z0-9._][\w.-]*)+$/],
  ["runtime", runtimeWord, "php", /^(php|node|python|static)$/],
  ["php_version", php, "8.2", /^\d{1,2}\.\d{1,2}$/],
  [
    "document_root",
    documentRoot,
    "public/app",
    /^$|^(?!.*(^|\/)(\.\.?)?(\/|$))[A-Za-z0-9._][\w./-]*$/,
  ],
  ["entry", entryFile, "src/server.js", /^(?!.*(^|\/)(\.\.?)?(\/|$))[A-Za-z0-9._][\w./-]*$/],
  ["database", databaseName, "toko_uji", /^(?!(mysql|sys)$)\w{1,64}$/i],
  ["username", databaseUser, "toko_uji", /^(?!(root|mysql)$)\w{1,64}$/i],
  ["host", databaseUserHost, "localhost", /^[\w.%][\w.%-]*$/],
  [
    "email",
    certificateEmail,
    "admin@contoh.id",
    /^[\w.%+][\w.%+-]*@[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]+$/,
  ],
];

describe(`hostile values (seed ${SEED})`, () => {
  it("of 15,000 generated for every field, none passes that is more than letters of its kind", () => {
    const random = randomOf(SEED);
    let passed = 0;
    for (const [name, schema, good, allowed] of FIELDS) {
      expect(schema.safeParse(good).success, name).toBe(true);
      for (let i = 0; i < EACH; i += 1) {
        const value = hostileText(good, random);
        const { success, data } = schema.safeParse(value);
        if (!success) continue;
        passed += 1;
        expect(data, `${name} of ${JSON.stringify(value)}`).toMatch(allowed);
        expect(String(data).length, name).toBeLessThanOrEqual(512);
      }
      for (const value of ODD) expect(schema.safeParse(value).success, name).toBe(false);
    }
    expect(passed).toBeGreaterThan(100);
    expect(passed).toBeLessThan(FIELDS.length * EACH * 0.6);
  });

  it("in lists and passwords are refused or held to the same", () => {
    const random = randomOf(SEED + 1);
    for (let i = 0; i < EACH; i += 1) {
      const listed = aliases.safeParse([hostileText("www.contoh.id", random)]);
      if (listed.success) expect(listed.data[0]).toMatch(/^(?!.*\.\.)[a-z0-9][a-z0-9.-]+[a-z0-9]$/);
      const secret = databasePassword.safeParse(hostileText("rahasia-sekali", random));
      if (secret.success) expect(secret.data).toMatch(/^[^\p{Cc}\p{Cs}]{8,200}$/u);
    }
  });
});

let operator: TestUser;
let server: TestServer;
let agent: ScriptedAgent;
beforeAll(async () => {
  operator = await createUser(["operator"]);
  server = await enrolledServer(operator);
  agent = await scripted(server);
});

interface Target {
  method: string;
  path: string;
  fields: Record<string, string>;
}
const TARGETS: Target[] = [
  {
    ...{ method: "POST", path: "/v1/sites" },
    fields: {
      ...{ domain: "contoh.web.id", root_path: "/var/www/contoh", runtime: "php" },
      ...{ php_version: "8.2", document_root: "public", entry: "app.js" },
    },
  },
  { method: "POST", path: "/v1/db/databases", fields: { name: "toko" } },
  {
    ...{ method: "POST", path: "/v1/db/users" },
    fields: { database: "toko", username: "toko", password: "rahasia-sekali", host: "localhost" },
  },
  {
    ...{ method: "POST", path: "/v1/ssl/issue" },
    fields: { domain: "contoh.web.id", email: "admin@contoh.id" },
  },
  { method: "PUT", path: "/v1/sites/{}/document-root", fields: { document_root: "public" } },
];

const THROUGH_HTTP = 40;
/** Those of one server's databases go one after another. */
const ONE_BY_ONE = 12;

/** One hostile field in a body that is good otherwise, and unlike every other. */
function callOf({ method, path, fields }: Target, field: string, random: () => number) {
  const odd = ODD[Math.floor(random() * ODD.length * 6)];
  const value = odd === undefined ? hostileText(fields[field] ?? "", random) : odd;
  const name = unique("h");
  const fresh = { domain: `${name}.example`, root_path: `/var/www/${name}` };
  const good = Object.fromEntries(
    Object.entries(fields).map(([key, text]) => [key, Reflect.get(fresh, key) ?? text]),
  );
  return { method, path: path.replace("{}", `site_${name}`), json: { ...good, [field]: value } };
}

async function complaintOf(call: { method: string; path: string; json: object }) {
  const { method, json } = call;
  const path = `${call.path}?server=${server.id}`;
  const { status, body } = await api(path, { method, json, token: operator.token });
  const proper = status < 400 || (typeof body.error === "string" && body.timestamp);
  return status < 500 && proper ? [] : [`${status} ${JSON.stringify(json).slice(0, 200)}`];
}

describe("over HTTP", () => {
  it.each(TARGETS)(
    "$method $path answers each in the contract's words, never with a failure of ours",
    { timeout: 60_000 },
    async (target) => {
      const random = randomOf(SEED + target.path.length);
      const calls = Object.keys(target.fields).flatMap((field) =>
        Array.from({ length: target.path.startsWith("/v1/db") ? ONE_BY_ONE : THROUGH_HTTP }, () =>
          callOf(target, field, random),
        ),
      );
      const complaints: string[] = [];
      const lane = async (mine: typeof calls) => {
        for (const call of mine) complaints.push(...(await complaintOf(call)));
      };
      await Promise.all([0, 1, 2, 3].map((n) => lane(calls.filter((_, i) => i % 4 === n))));
      expect(complaints).toEqual([]);
    },
  );

  it("answers ids, queries and headers the same way", { timeout: 60_000 }, async () => {
    const random = randomOf(SEED + 7);
    for (let i = 0; i < 60; i += 1) {
      const text = hostileText("site_1795271846211954696_f307296c0664", random).slice(0, 600);
      const odd = encodeURIComponent(text.toWellFormed());
      const path = [
        `/v1/sites/${odd}`,
        `/v1/jobs/${odd}`,
        `/v1/sites?cursor=${odd}&search=${odd}`,
        `/v1/jobs?cursor=${odd}&site=${odd}&type=${odd}`,
        `/v1/sites?server=${odd}`,
        `/v1/ssl/certificates?server=${odd}&limit=${odd}`,
      ][i % 6];
      const { status, body } = await api(path ?? "", { token: operator.token });
      expect(status, `${path} ${JSON.stringify(body)}`).toBeLessThan(500);
    }
  });

  it("lets nothing of it into a row or to the agent", async () => {
    const [stored] = await testContext().db.run(
      rows(
        sql`select coalesce(json_agg(json_build_array(s.domain, s.root_path, s.document_root, s.php_version)), '[]')
            as sites from panel_sites s where s.server_id = ${server.id}`,
        z.object({ sites: z.array(z.array(z.string().nullable())) }),
      ),
    );
    expect(stored?.sites.length).toBeGreaterThan(10);
    for (const site of stored?.sites ?? []) {
      for (const word of site) expect(word ?? "").toMatch(/^[\w./-]*$/);
    }
    const { commands } = agent.agent;
    expect(commands.length).toBeGreaterThan(10);
    for (const { type, input } of commands) {
      const { success } = COMMANDS[type as keyof typeof COMMANDS].input.safeParse(input);
      expect(success, JSON.stringify(input)).toBe(true);
      const words = Object.entries(input as object).filter(([key]) => key !== "passwordHash");
      for (const [, word] of words) {
        if (typeof word === "string") expect(word).toMatch(/^[\w./%@+-]*$/);
      }
    }
    agent.stop();
  });
});
