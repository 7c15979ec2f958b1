import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx, type Role } from "../../shared/context.ts";
import { build, prepared, statement } from "../../shared/db/statement.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { ledgerAccounts } from "../../shared/ledger/tables.ts";
import { users } from "./tables.ts";

const USER_NOT_FOUND = "User tidak ditemukan";
const XP_PER_LEVEL = 1_000;
const INCOME_PER_HOST_LEVEL = 500;

/** What SQL function `live_totals_of` answers: coins spent on gifts, and earned by them, ever. */
const GiftTotals = z.object({ spent: z.number(), income: z.number() });

/** A person's row without its secrets, and the coins of the wallet that the ledger keeps. */
const person = {
  id: users.id,
  email: users.email,
  phone: users.phone,
  name: users.name,
  roles: users.roles,
  avatarUrl: users.avatarUrl,
  gender: users.gender,
  age: users.age,
  signature: users.signature,
  level: users.level,
  vipLevel: users.vipLevel,
  xp: users.xp,
  emailVerifiedAt: users.emailVerifiedAt,
  createdAt: users.createdAt,
  updatedAt: users.updatedAt,
  balance: sql<number>`coalesce(${ledgerAccounts.balance}, 0)`.mapWith(Number),
  gifts: sql`live_totals_of(${users.id})`.mapWith((value) => GiftTotals.parse(value)),
};

/** A user and what he owns in coins, in one statement. */
export const selectPerson = prepared<{ id: number }, Person[]>(() =>
  build
    .select(person)
    .from(users)
    .leftJoin(
      ledgerAccounts,
      and(
        eq(ledgerAccounts.kind, "wallet"),
        eq(ledgerAccounts.ownerId, sql`${users.id}::text`),
        eq(ledgerAccounts.currency, "COIN"),
      ),
    )
    .where(and(eq(users.id, sql.placeholder("id")), isNull(users.deletedAt))),
);

export interface Person {
  id: number;
  email: string | null;
  phone: string | null;
  name: string;
  roles: Role[];
  avatarUrl: string | null;
  gender: string | null;
  age: number | null;
  signature: string | null;
  level: number;
  vipLevel: number;
  xp: number;
  emailVerifiedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
  balance: number;
  gifts: z.output<typeof GiftTotals>;
}

/** A user by number, or null when there is none (any more). */
export async function findUser(ctx: Ctx, userId: number): Promise<Person | null> {
  const [found] = await ctx.db.run(selectPerson({ id: userId }));
  return found ?? null;
}

/** The signed-in user's profile as the mobile app reads it. */
export async function getProfile(ctx: Ctx) {
  const found = await findUser(ctx, actorOf(ctx).userId);
  if (!found) throw notFound(USER_NOT_FOUND);
  return profileOf(found);
}

export interface ProfileInput {
  name?: string | undefined;
  gender?: string | null | undefined;
  age?: number | null | undefined;
  signature?: string | null | undefined;
}

/** Changes the fields that are given and answers the row, read after the change in the same transaction. */
export async function updateProfile(ctx: Ctx, input: ProfileInput) {
  const { name, gender, age, signature } = input;
  const changes = { name, gender, age, signature };
  if (Object.values(changes).every((value) => value === undefined)) {
    throw new AppError("invalid_input", "Tidak ada data untuk diupdate");
  }
  const id = actorOf(ctx).userId;
  const [, [row]] = await ctx.db.batch([
    statement(
      build
        .update(users)
        .set(changes)
        .where(and(eq(users.id, id), isNull(users.deletedAt))),
    ),
    selectPerson({ id }),
  ]);
  if (!row) throw notFound(USER_NOT_FOUND);
  return rowOf(row);
}

/**
 * The profile as the mobile app reads it. A coin spent on gifts is a point of experience. `topupBalance` shows the one
 * wallet that there is: bought coins and earned ones are spent alike.
 */
export function profileOf(row: Person) {
  const totalXp = row.xp + row.gifts.spent;
  const hostIncome = row.gifts.income;
  return {
    id: row.id,
    name: row.name,
    phone: row.phone,
    balance: row.balance,
    level: row.level,
    vipLevel: row.vipLevel,
    avatar_url: row.avatarUrl,
    gender: row.gender,
    age: row.age,
    signature: row.signature,
    totalXp,
    userLevel: Math.floor(totalXp / XP_PER_LEVEL),
    topupBalance: row.balance,
    hostIncome,
    hostLevel: Math.floor(hostIncome / INCOME_PER_HOST_LEVEL),
  };
}

function rowOf(row: Person) {
  return {
    id: row.id,
    phone: row.phone,
    name: row.name,
    avatar_url: row.avatarUrl,
    gender: row.gender,
    age: row.age,
    signature: row.signature,
    balance: row.balance,
    level: row.level,
    vip_level: row.vipLevel,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
