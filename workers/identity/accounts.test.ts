import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { randomAddress } from "../testing/api.ts";
import { roundTrips } from "../testing/round-trips.ts";
import {
  execute,
  newUser,
  post,
  send,
  signInAs,
  someEmail,
  somePhone,
  tokenOf,
} from "./test-people.ts";

const WEB = "/api/auth/register";
const APP = "/api/register";
const password = "rahasia-1";

describe("POST /api/auth/register", () => {
  it("answers the shapes of both contracts at once", async () => {
    const email = someEmail();
    const answer = await post(WEB, { email, password, full_name: "Ana Ayu", role: "seller" });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      success: true,
      data: { user_id: expect.any(Number) },
      error: null,
      meta: { timestamp: expect.any(String) },
      message: expect.any(String),
      user: {
        id: expect.any(Number),
        email,
        name: "Ana Ayu",
        phone: null,
        emailVerified: false,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      },
      otpSent: false,
    });
  });

  it("takes one database round trip", async () => {
    const body = { email: someEmail(), password, name: "Ana Ayu" };
    expect(await roundTrips(() => post(WEB, body))).toBe(1);
  });

  it("keeps e-mail and phone in one form, however they are written", async () => {
    const tail = somePhone().slice(2);
    const email = someEmail();
    const written = { email: ` ${email.toUpperCase()} `, phone: ` +62 8${tail} ` };
    const answer = await post(WEB, { ...written, password, name: "Ana" });
    expect(answer.body.user).toMatchObject({ email, phone: `08${tail}` });
    const again = await post(WEB, {
      email: someEmail(),
      phone: `628${tail}`,
      password,
      name: "Ana",
    });
    expect(again).toMatchObject({ status: 400, body: { error: "Nomor sudah terdaftar!" } });
  });

  it("takes an empty phone field as no phone", async () => {
    const answer = await post(WEB, { email: someEmail(), phone: "", password, name: "Ana" });
    expect(answer.body.user).toMatchObject({ phone: null });
  });

  it("makes one account when many register the same e-mail at the same time", async () => {
    const email = someEmail();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        post(WEB, { email: i % 2 ? email : email.toUpperCase(), password, name: "Ana" }),
      ),
    );
    const refused = answers.filter((answer) => answer.status === 400);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(refused).toHaveLength(11);
    for (const { body } of refused) expect(body.error).toBe("Email sudah terdaftar");
  });

  it("gives a seller both roles and anybody else only the buyer's", async () => {
    const roles = async (changes: object) => {
      const user = await newUser({ ...changes });
      return (await signInAs(user)).body.user;
    };
    expect(await roles({ role: "seller" })).toMatchObject({
      role: "seller",
      roles: ["buyer", "seller"],
    });
    expect(await roles({ role: "buyer" })).toMatchObject({ role: "buyer", roles: ["buyer"] });
    expect(await roles({ roles: ["admin"], is_admin: true })).toMatchObject({ roles: ["buyer"] });
  });

  it.each(["admin", "operator", "", null, 1])("never takes the role %j", async (role) => {
    const answer = await post(WEB, { email: someEmail(), password, full_name: "Ana", role });
    expect(answer).toMatchObject({ status: 400, body: { error: "Role harus buyer atau seller" } });
  });

  it.each([
    [{}, "Email, password, dan nama harus diisi"],
    [{ name: undefined }, "Email, password, dan nama harus diisi"],
    [{ password: "" }, "Email, password, dan nama harus diisi"],
    [{ email: "bukan-email" }, "Format email tidak valid"],
    [{ email: "a@b" }, "Format email tidak valid"],
    [{ email: "<script>@contoh.co" }, "Format email tidak valid"],
    [{ password: "12345" }, "Password minimal 6 karakter"],
    [{ password: "a".repeat(73) }, "Password maksimal 72 byte"],
    [{ password: "é".repeat(37) }, "Password maksimal 72 byte"],
    [{ phone: "' or 1=1 --" }, "Format nomor HP tidak valid"],
    [{ name: "A\u0000na" }, "Nama berisi karakter yang tidak dapat dipakai"],
    [{ name: "\u200b\u202e\u200b" }, "Nama harus berisi huruf atau angka yang terlihat"],
    [{ name: "\ud800na" }, "Nama berisi karakter yang tidak dapat dipakai"],
  ])("refuses %j with the contract's words", async (changes, words) => {
    const whole = { email: someEmail(), password, name: "Ana" };
    const answer = await post(WEB, Object.keys(changes).length ? { ...whole, ...changes } : {});
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      success: false,
      data: null,
      error: words,
      message: words,
      status: 400,
      meta: {},
    });
  });

  it.each([
    [[]],
    ["text"],
    [7],
    [null],
    [{ email: 1, password: {}, name: [] }],
    [{ email: "x".repeat(100_000), password, name: "Ana" }],
    [{ email: "a@contoh.co", password, name: "x".repeat(100_000) }],
    [{ email: "a@contoh.co", password: "x".repeat(100_000), name: "Ana" }],
  ])("answers 400 for input that is not a registration (%#)", async (body) => {
    const answer = await post(WEB, body);
    expect(answer).toMatchObject({
      status: 400,
      body: { success: false, data: null, status: 400 },
    });
  });

  it("answers 400 for a body that is not JSON", async () => {
    const headers = { "content-type": "application/json" };
    const answer = await send("POST", WEB, { raw: "{not json", headers });
    expect(answer).toMatchObject({ status: 400, body: { success: false, data: null } });
  });

  it("keeps HTML and SQL in a name as the text that it is", async () => {
    const name = `<b>Ana</b>'); drop table identity_users; --`;
    const token = tokenOf(await signInAs(await newUser({ name })));
    const profile = await send("GET", "/api/profile", { token });
    expect(profile.body.data).toMatchObject({ name });
  });

  it("lets an address register 20 accounts an hour, also at once, and then names the wait", async () => {
    const address = randomAddress();
    const email = someEmail();
    const answers = await Promise.all(
      Array.from({ length: 24 }, () => post(WEB, { email, password, name: "Ana" }, { address })),
    );
    const limited = answers.filter((answer) => answer.status === 429);
    expect(limited).toHaveLength(4);
    const { meta } = z
      .object({ meta: z.object({ retry_after: z.number() }) })
      .parse(limited[0]?.body);
    expect(meta.retry_after).toBeGreaterThan(3_500);
    expect(limited[0]?.headers.get("retry-after")).toBe(String(meta.retry_after));
    expect((await post(WEB, { email: someEmail(), password, name: "Ana" })).status).toBe(201);
  });

  it("spends neither a query nor a hash on an address that it has just refused", async () => {
    const address = randomAddress();
    const email = someEmail();
    const attempt = () => post(WEB, { email, password, name: "Ana" }, { address });
    await Promise.all(Array.from({ length: 21 }, attempt));
    expect(await roundTrips(attempt)).toBe(0);
  });
});

describe("POST /api/register", () => {
  it("answers the app's shape and names the user after the last digits", async () => {
    const phone = somePhone();
    const answer = await post(APP, { phone: `+62${phone.slice(1)}`, password });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      success: true,
      message: "Registrasi berhasil!",
      userId: expect.any(Number),
    });
    const signedIn = await post("/api/login", { phone, password });
    expect(signedIn.body.user).toMatchObject({ phone, name: `User-${phone.slice(-4)}` });
  });

  it("refuses a phone that is taken, in whatever form", async () => {
    const phone = somePhone();
    await post(APP, { phone, password, name: "Ana" });
    for (const prefix of ["62 ", "+62 0", "", " ", "0-"]) {
      const answer = await post(APP, { phone: `${prefix}${phone.slice(1)}`, password });
      expect(answer.status).toBe(400);
      expect(answer.body).toEqual({ success: false, message: "Nomor sudah terdaftar!" });
    }
  });

  it("refuses a phone that an older release kept without its 0", async () => {
    const { id, phone } = await newUser();
    await execute(sql`update identity_users set phone = ${phone.slice(1)} where id = ${id}`);
    const answer = await post(APP, { phone, password });
    expect(answer.body).toEqual({ success: false, message: "Nomor sudah terdaftar!" });
  });

  it.each([
    [{}, "Nomor dan sandi wajib diisi!"],
    [{ phone: 81234567890, password }, "Nomor dan sandi wajib diisi!"],
    [{ phone: "081234567890", password: ["a"] }, "Nomor dan sandi wajib diisi!"],
    [{ phone: "telepon", password }, "Format nomor HP tidak valid"],
    [{ phone: "1".repeat(50_000), password }, "Format nomor HP tidak valid"],
    [{ phone: "081234567890", password: "123" }, "Sandi minimal 6 karakter"],
    [{ phone: "081234567890", password: "x".repeat(80) }, "Password maksimal 72 byte"],
  ])("refuses %j in the app's envelope (%#)", async (body, message) => {
    const answer = await post(APP, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ success: false, message });
  });
});
