import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { roundTrips } from "../testing/round-trips.ts";
import { execute, query, send, signedInUser } from "./test-people.ts";

const PROFILE_KEYS = [
  "id name phone balance level vipLevel avatar_url gender age signature",
  "totalXp userLevel topupBalance hostIncome hostLevel",
].flatMap((line) => line.split(" "));
const ROW_KEYS =
  "id phone name avatar_url gender age signature balance level vip_level created_at updated_at".split(
    " ",
  );

const keysOf = (value: unknown) => Object.keys(z.record(z.string(), z.unknown()).parse(value));

const deposit = (userId: number, currency: string, amount: number) =>
  execute(
    sql`select ledger_transfer(
          ${crypto.randomUUID()}, 'gateway', 'midtrans', 'wallet', ${String(userId)}, ${amount}::bigint,
          'test', ${currency})`,
  );

describe.each(["/api/profile", "/api/auth/profile"])("GET %s", (path) => {
  it("answers what the app reads, and nothing else", async () => {
    const { id, phone, token } = await signedInUser();
    await execute(sql`update identity_users set xp = 2500 where id = ${id}`);
    const { status, body } = await send("GET", path, { token });
    expect(status).toBe(200);
    expect(keysOf(body)).toEqual(["success", "data"]);
    expect(keysOf(body.data)).toEqual(PROFILE_KEYS);
    expect(body.data).toMatchObject({
      id,
      phone,
      name: "Ana Ayu",
      balance: 0,
      level: 1,
      vipLevel: 0,
      avatar_url: null,
      totalXp: 2500,
      userLevel: 2,
    });
  });

  it("takes one database round trip, with or without the session's check", async () => {
    const { token } = await signedInUser();
    expect(await roundTrips(() => send("GET", path, { token }))).toBe(1);
    expect(await roundTrips(() => send("GET", path, { token }))).toBe(1);
  });

  it("shows as balance the coins that the ledger holds", async () => {
    const { id, token } = await signedInUser();
    await deposit(id, "COIN", 1_500);
    await deposit(id, "COIN", 250);
    await deposit(id, "IDR", 90_000);
    expect((await send("GET", path, { token })).body.data).toMatchObject({ balance: 1_750 });
  });
});

describe.each([
  ["GET", "/api/profile"],
  ["GET", "/api/auth/profile"],
  ["PUT", "/api/profile/update"],
  ["PUT", "/api/auth/profile/update"],
  ["POST", "/api/profile/avatar"],
  ["POST", "/api/auth/profile/avatar"],
])("%s %s", (method, path) => {
  it("answers 401 without a token and 403 for one that is none of ours", async () => {
    expect(await send(method, path)).toMatchObject({
      status: 401,
      body: { success: false, message: "Token tidak ditemukan" },
    });
    for (const token of ["null", "ya29.google-access-token", "a.b.c"]) {
      expect(await send(method, path, { token })).toMatchObject({
        status: 403,
        body: { success: false, message: "Token tidak valid" },
      });
    }
  });
});

describe.each(["/api/profile/update", "/api/auth/profile/update"])("PUT %s", (path) => {
  it("changes the keys that are present and answers the row without secrets", async () => {
    const { id, phone, token } = await signedInUser();
    const change = (body: unknown) => send("PUT", path, { token, body });
    const first = await change({
      name: "Budi",
      gender: "laki-laki",
      age: 25,
      signature: "Hai\nsemua",
    });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ success: true, message: "Profile berhasil diupdate" });
    expect(keysOf(first.body.data)).toEqual(ROW_KEYS);

    const second = await change({ age: null });
    expect(second.body.data).toMatchObject({
      id,
      phone,
      name: "Budi",
      gender: "laki-laki",
      age: null,
      signature: "Hai\nsemua",
      balance: 0,
      vip_level: 0,
    });
  });

  it("takes one database round trip", async () => {
    const { token } = await signedInUser();
    expect(await roundTrips(() => send("PUT", path, { token, body: { name: "Budi" } }))).toBe(1);
  });

  it("lets nobody write anything but those four fields, nor another's row", async () => {
    const { id, token } = await signedInUser();
    const other = await signedInUser();
    const row = (userId: number) =>
      query(
        sql`select id::int, email, phone, roles, level, vip_level, xp::int, password_hash, banned_at
            from identity_users where id = ${userId}`,
        z.unknown(),
      );
    const before = [await row(id), await row(other.id)];
    const body = {
      ...{ name: "Budi", id: other.id, roles: ["admin"], role: "admin", password: "baru-sekali" },
      ...{ password_hash: "x", passwordHash: "x", balance: 9, level: 9, vip_level: 9, xp: 9 },
      ...{
        email: "x@contoh.co",
        phone: "081",
        bannedAt: null,
        avatar_url: "https://lain.example/x",
      },
    };
    expect((await send("PUT", path, { token, body })).status).toBe(200);
    expect([await row(id), await row(other.id)]).toEqual(before);
  });

  it("answers 400 when no known field is there", async () => {
    const { token } = await signedInUser();
    for (const body of [{}, { lain: 1 }]) {
      expect(await send("PUT", path, { token, body })).toMatchObject({
        status: 400,
        body: { success: false, message: "Tidak ada data untuk diupdate" },
      });
    }
  });

  it("answers 400 in the app's envelope for values that do not fit", async () => {
    const { token } = await signedInUser();
    const misfits = [
      ...[[], "text", 7, null],
      ...[{ name: "" }, { name: "A" }, { name: 5 }, { name: null }, { name: "x".repeat(101) }],
      ...[{ name: "A\u0000b" }, { gender: {} }, { gender: "x".repeat(21) }],
      ...[{ age: "25" }, { age: 1.5 }, { age: 0 }, { age: -1 }, { age: 121 }, { age: 1e300 }],
      ...[{ signature: 5 }, { signature: "x".repeat(201) }, { signature: "a\u0000" }],
    ];
    for (const body of misfits) {
      const answer = await send("PUT", path, { token, body });
      expect(answer).toMatchObject({ status: 400, body: { success: false } });
      expect(answer.body.message).toEqual(expect.any(String));
    }
  });
});
