import bcrypt from "bcryptjs";
import { type Request, Router } from "express";
import { jwtVerify, SignJWT } from "jose";
import { query } from "./database.ts";

const [kid = "", secretText = ""] = (process.env.JWT_KEYS ?? "").split(":");
const secret = new TextEncoder().encode(secretText);

/** Who asks: the token's signature, then the user's row on every request. */
export async function user(request: Request): Promise<number> {
  const token = request.headers.authorization?.split(" ")[1] ?? "";
  const { payload } = await jwtVerify(token, secret);
  const [row] = await query("select id from identity_users where id = $1 and banned_at is null", [
    payload.id,
  ]);
  return Number(row.id);
}

export const peopleRoutes = Router();

peopleRoutes.get("/api/profile", async (request, response) => {
  const id = await user(request);
  const [row] = await query(
    `select id, name, phone, level, vip_level, avatar_url, gender, age, signature, xp from identity_users
      where id = $1`,
    [id],
  );
  const [account] = await query(
    "select balance from ledger_accounts where kind = 'wallet' and owner_id = $1 and currency = 'COIN'",
    [String(id)],
  );
  response.json({ success: true, data: { ...row, balance: Number(account?.balance ?? 0) } });
});

peopleRoutes.get("/api/wallet", async (request, response) => {
  const id = await user(request);
  const [account] = await query(
    "select id, balance from ledger_accounts where kind = 'wallet' and owner_id = $1 and currency = 'IDR'",
    [String(id)],
  );
  const [{ total }] = await query(
    "select count(*) as total from ledger_transfers where credit_account_id = $1 or debit_account_id = $1",
    [account.id],
  );
  const entries = await query(
    `select * from ledger_transfers where credit_account_id = $1 or debit_account_id = $1
      order by id desc limit 20`,
    [account.id],
  );
  const meta = { page: 1, limit: 20, total: Number(total) };
  response.json({ data: { balance: Number(account.balance), entries }, error: null, meta });
});

peopleRoutes.post("/api/auth/register", async (request, response) => {
  const { email, password, full_name } = request.body;
  const [taken] = await query("select 1 from identity_users where email = $1", [email]);
  if (taken) return void response.status(400).json({ error: "Email sudah terdaftar" });
  const hash = await bcrypt.hash(password, 10);
  const [row] = await query(
    "insert into identity_users (email, name, password_hash) values ($1, $2, $3) returning id",
    [email, full_name, hash],
  );
  response.status(201).json({ data: { user_id: Number(row.id) }, error: null, meta: {} });
});

peopleRoutes.post("/api/auth/signin", async (request, response) => {
  const { email, password } = request.body;
  const [row] = await query("select * from identity_users where email = $1", [email]);
  if (!row || !(await bcrypt.compare(password, row.password_hash))) {
    return void response.status(401).json({ error: "Email atau password salah" });
  }
  const [session] = await query(
    `insert into identity_sessions (user_id, expires_at) values ($1, now() + interval '7 days')
      returning id`,
    [row.id],
  );
  const claims = { id: Number(row.id), phone: row.phone, sid: session.id, roles: row.roles };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", kid })
    .setExpirationTime("7 days")
    .sign(secret);
  const { password_hash: _, ...shown } = row;
  response.json({ data: { token, user: shown }, error: null, meta: {} });
});
