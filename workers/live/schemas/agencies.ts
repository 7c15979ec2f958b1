import { z } from "@hono/zod-openapi";
import { instant, numericId, optionalText, text } from "./fields.ts";

const KTP = /^\d{16}$/;
const PHONE = /^\+?\d{6,20}$/;

const ktp = (words: string) =>
  z
    .union([z.string(), z.number()], words)
    .transform((value) => String(value).replace(/[\s.-]/g, ""))
    .pipe(z.string().regex(KTP, words));

const APPLY = {
  name: "Family name is required",
  region: "Region is required",
  phone: "Phone number is required",
  ktp: "KTP number must be 16 digits",
};

const phone = z
  .string(APPLY.phone)
  .transform((value) => value.replace(/[\s-]/g, ""))
  .pipe(z.string().regex(PHONE, APPLY.phone));

/** The agency screens speak English. */
const tooLong = (words: string, max: number) => `${words} (${max} characters at most)`;
const english = (words: string, max: number) => text(words, max, 1, tooLong(words, max));

/** The column's names, or the same in camel case. */
export const AgencyForm = z
  .object(
    {
      family_name: english(APPLY.name, 100).optional(),
      familyName: english(APPLY.name, 100).optional(),
      region: english(APPLY.region, 100),
      phone,
      id_number: ktp(APPLY.ktp).optional(),
      idNumber: ktp(APPLY.ktp).optional(),
      email: z.preprocess(
        (value) => (value === "" || value === null ? undefined : value),
        z.email("Email is not valid").max(254, "Email is not valid").optional(),
      ),
      address: optionalText("Address is not valid", 500, tooLong("Address is not valid", 500)),
    },
    APPLY.name,
  )
  .transform(({ familyName, idNumber, family_name, id_number, ...form }, context) => {
    const [name, number] = [family_name ?? familyName, id_number ?? idNumber];
    if (!name) context.addIssue({ code: "custom", message: APPLY.name, path: ["family_name"] });
    if (!number) context.addIssue({ code: "custom", message: APPLY.ktp, path: ["id_number"] });
    return { ...form, familyName: name ?? "", idNumber: number ?? "" };
  })
  .openapi("AgencyForm");

export type AgencyForm = z.output<typeof AgencyForm>;

/** An agency's row without its identity number (contract §2.6). */
export const AgencyShape = z
  .object({
    id: z.number(),
    user_id: z.number(),
    family_name: z.string(),
    region: z.string(),
    phone: z.string(),
    email: z.string().nullable(),
    address: z.string().nullable(),
    logo_url: z.string().nullable(),
    status: z.string(),
    created_at: instant,
    approved_at: instant.nullable(),
    updated_at: instant,
  })
  .openapi("Agency");

const HOST = {
  agency: "agencyId wajib",
  name: "Nama wajib diisi",
  gender: "Jenis kelamin wajib diisi",
  ktp: "Nomor KTP harus 16 digit",
};

export const HostForm = z
  .object(
    {
      agencyId: numericId(HOST.agency),
      name: text(HOST.name, 100),
      gender: text(HOST.gender, 20),
      idNumber: ktp(HOST.ktp).optional(),
      id_number: ktp(HOST.ktp).optional(),
    },
    HOST.agency,
  )
  .openapi("HostForm");

export type HostForm = z.output<typeof HostForm>;

/** An application, and the membership that came of it, without the identity number. */
export const ApplicationShape = z
  .object({
    id: z.number(),
    host_id: z.number(),
    agency_id: z.number(),
    name: z.string(),
    gender: z.string(),
    status: z.string(),
    created_at: instant,
    approved_at: instant.nullable(),
    ended_at: instant.nullable(),
  })
  .openapi("HostApplication");

export const ListedApplication = ApplicationShape.extend({
  host_name: z.string(),
  avatar_url: z.string(),
}).openapi("ListedHostApplication");

export const StatsShape = z
  .object({
    totalMembers: z.number(),
    thisWeekIncome: z.number(),
    lastMonthIncome: z.number(),
    thisMonthIncome: z.number(),
  })
  .openapi("AgencyStats");

export const AgencyHost = z
  .object({
    id: z.number(),
    name: z.string(),
    avatar_url: z.string(),
    phone: z.string().nullable(),
    total_lives: z.number(),
    total_income: z.number(),
    is_active: z.boolean(),
  })
  .openapi("AgencyHost");

export const HostIncomeLine = z
  .object({
    host_id: z.number(),
    host_name: z.string(),
    live_count: z.number(),
    total_income: z.number(),
    avg_income: z.number(),
  })
  .openapi("AgencyHostIncome");

export const LiveStats = z
  .object({
    totalLives: z.number(),
    activeLives: z.number(),
    totalViewers: z.number(),
    avgDuration: z.number(),
    topHosts: z.array(
      z.object({
        name: z.string(),
        live_count: z.number(),
        total_viewers: z.number(),
        total_duration: z.number(),
      }),
    ),
  })
  .openapi("AgencyLiveStats");

const MAX_SALARY = 1_000_000_000;
const SALARY = {
  amount: "salaryAmount must be a whole number of coins above zero",
  most: `salaryAmount may be at most ${MAX_SALARY}`,
  week: "weekNumber must be 1 to 53",
  year: "year must be an ISO year",
};

/** An ISO week of Jakarta; without one it is the current week, without a year the current year. */
export const SalaryForm = z
  .object(
    {
      salaryAmount: z.int(SALARY.amount).min(1, SALARY.amount).max(MAX_SALARY, SALARY.most),
      weekNumber: z.int(SALARY.week).min(1, SALARY.week).max(53, SALARY.week).optional(),
      year: z.int(SALARY.year).min(2020, SALARY.year).max(2100, SALARY.year).optional(),
    },
    SALARY.amount,
  )
  .openapi("SalaryForm");

export type SalaryForm = z.output<typeof SalaryForm>;

export const RequestIdBody = z
  .object({ requestId: numericId("requestId is required") }, "requestId is required")
  .openapi("SalaryDecision");

export const SalaryShape = z
  .object({
    id: z.number(),
    host_id: z.number(),
    agency_id: z.number(),
    year: z.number(),
    week_number: z.number(),
    salary_amount: z.number(),
    total_lives: z.number(),
    total_minutes: z.number(),
    status: z.string(),
    created_at: instant,
    approved_at: instant.nullable(),
  })
  .openapi("SalaryRequest");

export const ListedSalary = SalaryShape.extend({ host_name: z.string() }).openapi(
  "ListedSalaryRequest",
);
