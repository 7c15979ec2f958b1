import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Role } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { fetchWorker, randomAddress, testContext } from "../testing/api.ts";

/** A request as a test writes it, and what came back. */
export interface Sent {
  body?: unknown;
  /** Sent as it is, for bodies that are not JSON. */
  raw?: BodyInit;
  token?: string;
  address?: string;
  headers?: Record<string, string>;
  host?: string;
}

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  text: string;
  headers: Headers;
}

export async function send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const { body, raw, host = "", ...call } = sent;
  const response = await fetchWorker(`${host}${path}`, {
    ...call,
    method,
    ...(body === undefined ? {} : { json: body }),
    ...(raw === undefined ? {} : { body: raw }),
  });
  const text = new TextDecoder().decode(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, text, body: objectIn(text) };
}

export const post = (path: string, body: unknown, sent: Sent = {}) =>
  send("POST", path, { ...sent, body });

function objectIn(text: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    return {};
  }
}

export const someEmail = () => `orang-${crypto.randomUUID()}@contoh.co`;
export const somePhone = () => `08${someDigits(12)}`;
const someDigits = (count: number) =>
  Array.from(crypto.getRandomValues(new Uint8Array(count)), (byte) => byte % 10).join("");

export interface TestUser {
  id: number;
  email: string;
  phone: string;
  password: string;
  address: string;
}

/** Registers somebody over HTTP. */
export async function newUser(changes: Record<string, unknown> = {}): Promise<TestUser> {
  const user = {
    email: someEmail(),
    phone: somePhone(),
    password: `rahasia-${crypto.randomUUID()}`,
    address: randomAddress(),
  };
  const { address, ...fields } = user;
  const answer = await post(
    "/api/auth/register",
    { name: "Ana Ayu", ...fields, ...changes },
    { address },
  );
  const { data } = z.object({ data: z.object({ user_id: z.number() }) }).parse(answer.body);
  return { ...user, id: data.user_id };
}

export const signInAs = (user: TestUser, changes: Record<string, unknown> = {}, sent: Sent = {}) =>
  post(
    "/api/auth/signin",
    { email: user.email, password: user.password, ...changes },
    { address: user.address, ...sent },
  );

export function tokenOf(answer: Answer): string {
  return z.object({ token: z.string() }).parse(answer.body).token;
}

export async function signedInUser(changes: Record<string, unknown> = {}) {
  const user = await newUser(changes);
  return { ...user, token: tokenOf(await signInAs(user)) };
}

/** What a token says, unverified. */
export function claimsOf(token: string) {
  const payload = atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"));
  return z
    .object({
      id: z.number(),
      phone: z.string().nullable(),
      sid: z.string(),
      iat: z.number(),
      exp: z.number(),
    })
    .parse(JSON.parse(payload));
}

export async function query<S extends z.ZodType>(text: SQL, row: S): Promise<z.output<S>[]> {
  return await testContext().db.run(rows(text, row));
}

export async function execute(text: SQL): Promise<void> {
  await query(text, z.unknown());
}

export const giveRoles = (userId: number, roles: Role[]) =>
  execute(
    sql`update identity_users set roles = ${`{${roles.join(",")}}`}::text[] where id = ${userId}`,
  );
