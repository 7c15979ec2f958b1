import { z } from "zod";
import { type Failure, ProviderError } from "../provider-error.ts";

/** What callers must tell apart. `not_ready`: a container is not FINISHED; `gone`: it is missing or expired. */
export type InstagramFault =
  | "token"
  | "quota"
  | "throttled"
  | "not_ready"
  | "gone"
  | "stopped"
  | "picture"
  | "caption"
  | "rejected"
  | "unavailable"
  | "unknown";

/** A failed call, with a reason that the seller may read. */
export class InstagramError extends ProviderError {
  readonly fault: InstagramFault;
  readonly reason: string;

  constructor(fault: InstagramFault, reason: string, failure: Failure, internal: string) {
    super("instagram", failure, internal);
    this.name = "InstagramError";
    this.fault = fault;
    this.reason = reason;
  }
}

const AWAY = "Instagram sedang tidak dapat dihubungi";

/** The meaning of Meta's code and subcode (providers/instagram.md §6), in words for the seller. */
const MEANINGS: [code: number, subcode: number | null, InstagramFault, string][] = [
  [-2, 2207003, "unavailable", "Instagram terlalu lama mengunduh gambar"],
  [-2, 2207020, "gone", "Kiriman yang disiapkan sudah kedaluwarsa"],
  [-1, null, "unavailable", AWAY],
  [4, 2207051, "stopped", "Instagram membatasi akun ini karena aktivitas yang dianggap spam"],
  [4, null, "throttled", "Terlalu banyak permintaan ke Instagram"],
  [9, null, "quota", "Batas kiriman harian Instagram tercapai"],
  [17, null, "throttled", "Terlalu banyak permintaan ke Instagram"],
  [24, 2207008, "gone", "Kiriman yang disiapkan sudah kedaluwarsa"],
  [24, null, "token", "Instagram tidak lagi memberi izin untuk akun ini"],
  [
    25,
    null,
    "stopped",
    "Akun Instagram ini dibatasi atau tidak aktif. Buka aplikasi Instagram untuk memeriksanya",
  ],
  [
    190,
    null,
    "token",
    "Izin akses ke Instagram sudah berakhir atau dicabut. Hubungkan ulang akun Anda",
  ],
  [352, null, "picture", "Format gambar tidak didukung Instagram"],
  [613, null, "throttled", "Terlalu banyak permintaan ke Instagram"],
  [9004, null, "picture", "Instagram tidak dapat mengambil gambar"],
  [9007, null, "not_ready", "Instagram masih memproses gambar"],
  [36000, null, "picture", "Ukuran gambar lebih dari 8 MB"],
  [36001, null, "picture", "Gambar harus berformat JPEG"],
  [36003, null, "picture", "Perbandingan sisi gambar harus antara 4:5 dan 1,91:1"],
  [36004, null, "caption", "Keterangan terlalu panjang"],
  [80002, null, "throttled", "Terlalu banyak permintaan ke Instagram"],
];

const whole = z.number().int().nullish().catch(null);
const Envelope = z.object({
  error: z.object({
    code: whole,
    error_subcode: whole,
    is_transient: z.boolean().nullish().catch(null),
  }),
});
/** The form of the code's exchange alone. */
const Old = z.object({ error_message: z.string() });

/** Meta's verdict as a code, `<fault>.<code>.<subcode>`; null where the status must speak. */
export function verdictOf(body: unknown): string | null {
  if (Old.safeParse(body).success) return "rejected.exchange";
  const read = Envelope.safeParse(body);
  if (!read.success) return null;
  const { code, error_subcode: subcode, is_transient: isTransient } = read.data.error;
  const known = MEANINGS.find(([c, s]) => c === code && (s === null || s === subcode));
  const fault = known?.[2] ?? (isTransient ? "unavailable" : "rejected");
  return [fault, code ?? "none", subcode ?? "none"].join(".");
}

const FALLBACK: Record<InstagramFault, string> = {
  token: "Izin akses ke Instagram sudah berakhir atau dicabut. Hubungkan ulang akun Anda",
  quota: "Batas kiriman harian Instagram tercapai",
  throttled: "Terlalu banyak permintaan ke Instagram",
  not_ready: "Instagram masih memproses gambar",
  gone: "Kiriman yang disiapkan sudah kedaluwarsa",
  stopped: "Akun Instagram ini dibatasi",
  picture: "Gambar tidak diterima Instagram",
  caption: "Keterangan tidak diterima Instagram",
  rejected: "Instagram menolak permintaan ini",
  unavailable: AWAY,
  unknown: "Jawaban Instagram tidak sampai",
};

const PASSING: readonly InstagramFault[] = [
  "quota",
  "throttled",
  "not_ready",
  "unavailable",
  "unknown",
];

/** A failed exchange as callers branch on it. Whatever may have acted is `unknown`, whatever else it says. */
export function instagramError(error: ProviderError): InstagramError {
  const [told = "", code, subcode] = (error.code ?? "").split(".");
  const isTold = error.outcome === "not_done" && isFault(told);
  const fault = isTold ? told : faultOf(error);
  const known = MEANINGS.find(
    ([c, s, f]) => c === Number(code) && (s === null || s === Number(subcode)) && f === fault,
  );
  const { kind, outcome, status, retryAfterMs } = error;
  const retryable = PASSING.includes(fault);
  const failure = { kind, outcome, status, code: error.code, retryAfterMs, retryable };
  return new InstagramError(fault, known?.[3] ?? FALLBACK[fault], failure, error.message);
}

const isFault = (word: string): word is InstagramFault => Object.hasOwn(FALLBACK, word);

function faultOf({ outcome, kind }: ProviderError): InstagramFault {
  if (outcome === "unknown") return "unknown";
  switch (kind) {
    case "unauthorised":
      return "token";
    case "rate_limited":
      return "throttled";
    case "unavailable":
    case "timeout":
      return "unavailable";
    case "refused":
    case "invalid":
    case "bad_answer":
      return "rejected";
    default:
      return kind satisfies never;
  }
}
