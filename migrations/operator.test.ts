import bcrypt from "bcryptjs";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { writeDemoUsers } from "../local/demo/data.ts";
import { makeOperator } from "./operator.ts";

const url = inject("standIns").adminUrl;
let client: pg.Client;

beforeAll(async () => {
  client = new pg.Client({ connectionString: url });
  await client.connect();
});
afterAll(() => client.end());

const rowOf = async (username: string) => {
  const { rows } = await client.query(
    "select u.id::int, u.roles, u.password_hash from panel_operators o join identity_users u on u.id = o.user_id where username = $1",
    [username],
  );
  return rows[0];
};

it("the first operator is made with a password, and made again it stays", async () => {
  const word = crypto.randomUUID().slice(0, 8);
  const person = {
    email: `Op-${word}@test.example`,
    username: `Op-${word}`,
    password: "sandi-pertama",
  };
  const first = await makeOperator(url, person);
  expect(first.isNew).toBe(true);
  expect(await makeOperator(url, { ...person, password: "sandi-kedua" })).toEqual({
    ...first,
    isNew: false,
  });
  const row = await rowOf(person.username.toLowerCase());
  expect(row).toMatchObject({ id: first.userId, roles: ["operator"] });
  expect(await bcrypt.compare("sandi-pertama", row.password_hash)).toBe(true);
});

it("the demo's operator signs in as admin, however often the demo is written", async () => {
  for (let i = 0; i < 2; i++) await writeDemoUsers(url);
  expect(await rowOf("admin")).toMatchObject({ roles: ["operator"] });
});
