import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import bcrypt from "bcryptjs";
import pg from "pg";

/**
 * `DATABASE_URL=… npm run operator -- --email you@example.com --username admin`: the panel's first operator, and any
 * further one, whom no route can make. An account that stands already keeps its password; a new one gets the text in
 * OPERATOR_PASSWORD, else one that is made here and shown this once.
 */
export async function makeOperator(
  databaseUrl: string,
  { email, username, password }: { email: string; username: string; password: string },
): Promise<{ userId: number; isNew: boolean }> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const input = {
      email,
      username,
      name: username,
      password_hash: await bcrypt.hash(password, 10),
    };
    const { rows } = await client.query<{ made: { user_id: number; made: boolean } }>(
      "select panel_operator_make($1::jsonb) as made",
      [JSON.stringify(input)],
    );
    const made = rows[0]?.made;
    if (!made) throw new Error("the database answered nothing");
    return { userId: made.user_id, isNew: made.made };
  } finally {
    await client.end();
  }
}

const USAGE = "DATABASE_URL=… npm run operator -- --email you@example.com --username admin";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { email: { type: "string" }, username: { type: "string" } },
  });
  const { email, username } = values;
  const databaseUrl = process.env.DATABASE_URL;
  if (!databaseUrl || !email || !username) throw new Error(USAGE);
  const given = process.env.OPERATOR_PASSWORD;
  const password = given || randomBytes(18).toString("base64url");
  const bytes = Buffer.byteLength(password);
  if (bytes < 8 || bytes > 72) throw new Error("OPERATOR_PASSWORD must have 8 to 72 bytes");
  const { userId, isNew } = await makeOperator(databaseUrl, { email, username, password });
  console.log(`${username} <${email}> is an operator (usr_${userId}).`);
  if (!isNew) console.log("The account was there already and keeps its password.");
  else if (!given) console.log(`Password, shown this once: ${password}`);
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
