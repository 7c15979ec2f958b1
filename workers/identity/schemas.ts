import { z } from "@hono/zod-openapi";
import { normalisePhone } from "../../shared/auth/phone.ts";
import { isReadable, UNREADABLE } from "../../shared/http/readable.ts";
import { BCRYPT_MAX_BYTES } from "./passwords.ts";

const MAX_EMAIL = 254;
const MAX_NAME = 100;

/** Text that Postgres can store and a page can show on one line: no control characters, no half characters. */
const isOneLine = (value: string) => value.isWellFormed() && !/\p{Cc}/u.test(value);
const isPlainText = (value: string) => isOneLine(value.replace(/[\r\n\t]/g, ""));

const email = (required: string) =>
  z
    .string(required)
    .trim()
    .toLowerCase()
    .min(1, required)
    .max(MAX_EMAIL, "Email terlalu panjang")
    .pipe(z.email("Format email tidak valid"));

const phone = (required: string) =>
  z
    .string(required)
    .transform(normalisePhone)
    .pipe(
      z
        .string()
        .min(1, required)
        .regex(/^\+?\d{6,20}$/, "Format nomor HP tidak valid"),
    );

const newPassword = (required: string, tooShort: string) =>
  z
    .string(required)
    .min(1, required)
    .min(6, tooShort)
    .refine(
      (value) => new TextEncoder().encode(value).byteLength <= BCRYPT_MAX_BYTES,
      `Password maksimal ${BCRYPT_MAX_BYTES} byte`,
    );

const name = (required: string) =>
  z
    .string(required)
    .trim()
    .min(1, required)
    .min(2, "Nama minimal 2 karakter")
    .max(MAX_NAME, `Nama maksimal ${MAX_NAME} karakter`)
    .refine(isOneLine, "Nama berisi karakter yang tidak dapat dipakai")
    .refine(isReadable, UNREADABLE);

/** A form sends an empty field where nothing was typed. */
const emptyAsMissing = (value: unknown) => (value === "" || value === null ? undefined : value);

const REGISTER = "Email, password, dan nama harus diisi";

/** Two contracts' bodies in one: `full_name` with `role`, or `name` with an optional `phone`. */
export const RegisterBody = z
  .object(
    {
      email: email(REGISTER),
      password: newPassword(REGISTER, "Password minimal 6 karakter"),
      full_name: name(REGISTER).optional(),
      name: name(REGISTER).optional(),
      role: z.enum(["buyer", "seller"], "Role harus buyer atau seller").default("buyer"),
      phone: z.preprocess(emptyAsMissing, phone("Format nomor HP tidak valid").optional()),
    },
    REGISTER,
  )
  .refine((body) => body.full_name ?? body.name, REGISTER)
  .openapi("RegisterBody");

const APP_REGISTER = "Nomor dan sandi wajib diisi!";

export const AppRegisterBody = z
  .object(
    {
      phone: phone(APP_REGISTER),
      password: newPassword(APP_REGISTER, "Sandi minimal 6 karakter"),
      name: z.preprocess(emptyAsMissing, name("Nama minimal 2 karakter").optional()),
    },
    APP_REGISTER,
  )
  .openapi("AppRegisterBody");

/** What somebody typed to say who he is: an e-mail when it has an `@`, else a phone number as he writes it. */
const identifier = (required: string) =>
  z
    .string(required)
    .trim()
    .min(1, required)
    .max(MAX_EMAIL, "Email atau nomor HP terlalu panjang")
    .refine(isOneLine, required)
    .transform((typed) => (typed.includes("@") ? typed.toLowerCase() : typed));

const SIGN_IN = "Email dan password harus diisi";

export const SignInBody = z
  .object(
    {
      email: z.preprocess(emptyAsMissing, identifier(SIGN_IN).optional()),
      phone: z.preprocess(emptyAsMissing, identifier(SIGN_IN).optional()),
      identifier: z.preprocess(emptyAsMissing, identifier(SIGN_IN).optional()),
      password: z.string(SIGN_IN).min(1, SIGN_IN),
    },
    SIGN_IN,
  )
  .refine((body) => body.email ?? body.phone ?? body.identifier, SIGN_IN)
  .openapi("SignInBody");

const APP_SIGN_IN = "Nomor HP dan password wajib diisi";

export const AppSignInBody = z
  .object(
    { phone: identifier(APP_SIGN_IN), password: z.string(APP_SIGN_IN).min(1, APP_SIGN_IN) },
    APP_SIGN_IN,
  )
  .openapi("AppSignInBody");

/** Only the keys that are present change; `null` empties a field that may be empty. */
export const ProfileChanges = z
  .object(
    {
      name: name("Nama tidak boleh kosong").optional(),
      gender: z
        .string("Jenis kelamin harus berupa teks")
        .trim()
        .max(20, "Jenis kelamin maksimal 20 karakter")
        .refine(isOneLine, "Jenis kelamin berisi karakter yang tidak dapat dipakai")
        .nullable()
        .optional(),
      age: z
        .int("Umur harus berupa bilangan bulat")
        .min(1, "Umur minimal 1")
        .max(120, "Umur maksimal 120")
        .nullable()
        .optional(),
      signature: z
        .string("Signature harus berupa teks")
        .max(200, "Signature maksimal 200 karakter")
        .refine(isPlainText, "Signature berisi karakter yang tidak dapat dipakai")
        .nullable()
        .optional(),
    },
    "Data profil tidak valid",
  )
  .openapi("ProfileChanges");

export const UserShape = z
  .object({
    id: z.number(),
    email: z.string().nullable(),
    name: z.string(),
    phone: z.string().nullable(),
    emailVerified: z.boolean(),
    createdAt: z.string(),
  })
  .openapi("User");

export const ProfileShape = z
  .object({
    id: z.number(),
    name: z.string(),
    phone: z.string().nullable(),
    balance: z.number(),
    level: z.number(),
    vipLevel: z.number(),
    avatar_url: z.string().nullable(),
    gender: z.string().nullable(),
    age: z.number().nullable(),
    signature: z.string().nullable(),
    totalXp: z.number(),
    userLevel: z.number(),
    topupBalance: z.number(),
    hostIncome: z.number(),
    hostLevel: z.number(),
  })
  .openapi("Profile");

export const SignedInShape = ProfileShape.extend({
  email: z.string().nullable(),
  emailVerified: z.boolean(),
  createdAt: z.string(),
  role: z.string(),
  roles: z.array(z.string()),
}).openapi("SignedInUser");

/** The row as the mobile app's profile update answers it. */
export const ProfileRow = z
  .object({
    id: z.number(),
    phone: z.string().nullable(),
    name: z.string(),
    avatar_url: z.string().nullable(),
    gender: z.string().nullable(),
    age: z.number().nullable(),
    signature: z.string().nullable(),
    balance: z.number(),
    level: z.number(),
    vip_level: z.number(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("ProfileRow");
