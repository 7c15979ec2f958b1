import { getRounds } from "bcryptjs";
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { randomAddress, testContext } from "../testing/api.ts";
import { roundTrips } from "../testing/round-trips.ts";
import { hashPassword } from "./passwords.ts";
import {
  claimsOf,
  execute,
  giveRoles,
  newUser,
  post,
  query,
  signInAs,
  someEmail,
  somePhone,
  tokenOf,
} from "./test-people.ts";

describe.each(["/api/auth/signin", "/api/auth/login"])("POST %s", (path) => {
  it("takes an e-mail or a phone number, under any of its field names", async () => {
    const { email, phone, password, address, id } = await newUser();
    for (const name of [
      { email: email.toUpperCase() },
      { phone: `+62${phone.slice(1)}` },
      { identifier: ` ${email} ` },
      { identifier: phone },
      { email: "", phone },
    ]) {
      const answer = await post(path, { ...name, password }, { address });
      expect(answer).toMatchObject({ status: 200, body: { data: { user_id: id } } });
    }
  });

  it("answers the merged shape with one token", async () => {
    const { id, email, phone, password } = await newUser({ full_name: "Ana Ayu", role: "seller" });
    const { body, status } = await post(path, { email, password });
    const token = tokenOf({ body, status, text: "", headers: new Headers() });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      success: true,
      data: { user_id: id, token, role: "seller" },
      error: null,
      meta: { timestamp: expect.any(String) },
      user: { id, email, phone, name: "Ana Ayu", role: "seller", emailVerified: false, balance: 0 },
    });
  });
});

describe("a hash that was made at another cost", () => {
  it("is made anew when its owner signs in, and by nobody else", async () => {
    const { id, email, password, address } = await newUser();
    const old = await hashPassword({ PASSWORD_COST: 5 }, password);
    await execute(sql`update identity_users set password_hash = ${old} where id = ${id}`);
    const kept = async () => {
      const [row] = await query(
        sql`select password_hash as hash from identity_users where id = ${id}`,
        z.object({ hash: z.string() }),
      );
      return row?.hash ?? "";
    };
    await post("/api/auth/signin", { email, password: "bukan-itu" }, { address });
    expect(await kept()).toBe(old);
    expect((await post("/api/auth/signin", { email, password }, { address })).status).toBe(200);
    const { PASSWORD_COST } = testContext().config;
    await expect.poll(async () => getRounds(await kept())).toBe(PASSWORD_COST);
    const renewed = await kept();
    expect((await post("/api/auth/signin", { email, password }, { address })).status).toBe(200);
    expect(await kept()).toBe(renewed);
  });
});

describe("the session cookie", () => {
  const attributesOf = async (host: string) => {
    const user = await newUser();
    const answer = await signInAs(user, {}, { host });
    const [pair = "", ...attributes] = (answer.headers.get("set-cookie") ?? "").split("; ");
    expect(pair).toBe(`lumbung_session=${tokenOf(answer)}`);
    return attributes;
  };

  it("is out of reach of scripts and other sites, and bound to the host on a laptop", async () => {
    const attributes = await attributesOf("http://localhost:8787");
    expect(attributes.toSorted()).toEqual(["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Lax"]);
  });

  it("is secure on https", async () => {
    expect(await attributesOf("https://localhost")).toContain("Secure");
  });
});

describe("POST /api/login", () => {
  it("takes a number in any spelling, also of an account that an older release kept in another", async () => {
    const { id, phone, password, address } = await newUser();
    const bare = phone.slice(1);
    for (const kept of [phone, bare, `0${phone}`, `+${phone}`]) {
      await execute(sql`update identity_users set phone = ${kept} where id = ${id}`);
      for (const typed of [phone, bare, `+62 ${bare}`, `62-0${bare}`]) {
        const answer = await post("/api/login", { phone: typed, password }, { address });
        expect(answer).toMatchObject({ status: 200, body: { user: { id } } });
      }
    }
  });

  it("means, of two accounts that an older release gave one number, the one whose spelling is typed", async () => {
    const [first, second] = [await newUser(), await newUser()];
    const bare = first.phone.slice(1);
    await execute(sql`update identity_users set phone = ${bare} where id = ${second.id}`);
    for (const [phone, { id, password }] of [
      [first.phone, first],
      [bare, second],
    ] as const) {
      const answer = await post("/api/login", { phone, password });
      expect(answer).toMatchObject({ status: 200, body: { user: { id } } });
    }
  });

  it("answers the app's shape with numbers as ids", async () => {
    const { id, phone, password } = await newUser();
    const answer = await post("/api/login", { phone: `62 ${phone.slice(1)}`, password });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      success: true,
      token: expect.any(String),
      user: { id, phone, name: "Ana Ayu", level: 1, vipLevel: 0, balance: 0, avatar_url: null },
    });
    expect(claimsOf(tokenOf(answer))).toMatchObject({ id, phone });
  });

  it.each([
    [{}, 400, "Nomor HP dan password wajib diisi"],
    [{ phone: 8, password: "rahasia" }, 400, "Nomor HP dan password wajib diisi"],
    [{ phone: "0812345678", password: { $ne: 1 } }, 400, "Nomor HP dan password wajib diisi"],
    [{ phone: "\u0000", password: "rahasia" }, 400, "Nomor HP dan password wajib diisi"],
    [{ phone: "9".repeat(40_000), password: "x" }, 400, "Email atau nomor HP terlalu panjang"],
    [{ phone: "' or 1=1 --", password: "rahasia" }, 401, "Nomor HP atau sandi salah!"],
    [{ phone: "0800", password: "x".repeat(90_000) }, 401, "Nomor HP atau sandi salah!"],
  ])("refuses %j (%#)", async (body, status, message) => {
    const answer = await post("/api/login", body);
    expect(answer).toMatchObject({ status, body: { success: false, message } });
    expect(Object.keys(answer.body)).toHaveLength(2);
  });
});

describe("signing in", () => {
  it("takes two database round trips, a refusal one", async () => {
    const user = await newUser();
    expect(await roundTrips(() => signInAs(user))).toBe(2);
    expect(await roundTrips(() => signInAs(user, { password: "salah-sekali" }))).toBe(1);
    expect(await roundTrips(() => signInAs(user, { email: someEmail() }))).toBe(1);
  });

  it("says the same about an unknown account, a wrong password and a deleted account", async () => {
    const user = await newUser();
    const gone = await newUser();
    await execute(sql`update identity_users set deleted_at = now() where id = ${gone.id}`);
    const answers = [
      await signInAs(user, { password: "salah-sekali" }),
      await signInAs(user, { email: someEmail() }),
      await signInAs(user, { email: undefined, phone: somePhone() }),
      await signInAs(gone),
    ];
    for (const { status, text } of answers) {
      expect(status).toBe(401);
      expect(text).toBe(answers[0]?.text);
    }
    expect(answers[0]?.body).toMatchObject({
      success: false,
      data: null,
      error: "Email atau password salah",
      status: 401,
    });
  });

  it("never takes a password of which bcrypt would read only the beginning", async () => {
    const password = "p".repeat(72);
    const user = { ...(await newUser({ password })), password };
    expect((await signInAs(user)).status).toBe(200);
    expect((await signInAs(user, { password: `${password}x` })).status).toBe(401);
  });

  it("refuses a banned user, and tells so only to one who knows the password", async () => {
    const user = await newUser();
    await execute(sql`update identity_users set banned_at = now() where id = ${user.id}`);
    expect(await signInAs(user)).toMatchObject({
      status: 403,
      body: { error: "Akun Anda diblokir" },
    });
    expect((await signInAs(user, { password: "salah-sekali" })).status).toBe(401);
  });

  it("lasts 7 days, for an operator 24 hours, in the token and in its row", async () => {
    const user = await newUser();
    for (const [roles, seconds] of [
      [["buyer"], 604_800],
      [["buyer", "operator"], 86_400],
    ] as const) {
      await giveRoles(user.id, [...roles]);
      const { sid, iat, exp } = claimsOf(tokenOf(await signInAs(user)));
      expect(exp - iat).toBe(seconds);
      const [row] = await query(
        sql`select extract(epoch from expires_at - created_at)::float as lasts
            from identity_sessions where id = ${sid}::uuid`,
        z.object({ lasts: z.number() }),
      );
      expect(row?.lasts).toBe(seconds);
    }
  });

  it.each([
    [{}],
    [{ email: "", phone: "", password: "rahasia" }],
    [{ email: {}, password: "rahasia" }],
    [{ email: "a@contoh.co", password: 5 }],
    [[]],
    ["text"],
  ])("answers 400 for %j", async (body) => {
    const answer = await post("/api/auth/signin", body, { address: randomAddress() });
    expect(answer).toMatchObject({
      status: 400,
      body: { success: false, data: null, error: "Email dan password harus diisi", status: 400 },
    });
  });
});
