import { expect } from "vitest";

export type Family = "hosting" | "topup" | "smm" | "market" | "auth" | "panel" | "app";

/** The body of a failure in each contract (design §2), exactly: `meta` and the app's extra keys may differ. */
export function failureBody(family: Family, status: number, message: unknown = expect.any(String)) {
  switch (family) {
    case "hosting":
      return { error: message, status };
    case "topup":
      return { success: false, message, error: message };
    case "smm":
      return { error: message };
    case "market":
      return { data: null, error: message, meta: expect.any(Object) };
    case "auth":
      return {
        success: false,
        data: null,
        error: message,
        message,
        status,
        meta: expect.any(Object),
      };
    case "panel":
      return {
        error: message,
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*Z$/),
      };
    case "app":
      return { success: false, message };
    default:
      return family satisfies never;
  }
}

const INDONESIAN =
  /\b(tidak|bukan|harus|wajib|sudah|belum|diharapkan|diterima|terlalu|kunci|permintaan|berisi|silakan|layanan|maksimal|minimal|karakter)\b/i;
const ZOD_ENGLISH =
  /\b(expected|received|Invalid input|Invalid option|Unrecognized key|Too (big|small))\b/;

/** Whether a refusal on a mounted path is in the language of its contract; what each contract words itself may be English. */
export function isInLanguage(path: string, body: unknown): boolean {
  const english =
    ["topup", "smm", "panel"].includes(envelopeOf(path)) || /^\/api\/agency(\/|$)/.test(path);
  return !(english ? INDONESIAN : ZOD_ENGLISH).test(JSON.stringify(body));
}

const APP_PAYMENTS = "packages create-transaction status check-status history user-balance".split(
  " ",
);

/** Whose envelope a mounted path has. Written apart from the Worker's own table, by the first words of the path. */
export function envelopeOf(path: string): Family {
  const [, first = "", second = "", third = ""] = path.split("/");
  if (first === "v1" || first === "healthz") return "panel";
  if (first !== "api") return "app";
  if (second === "auth") {
    return ["register", "login", "signin", "logout"].includes(third) ? "auth" : "app";
  }
  if (second === "webhooks") return third === "vip-reseller" ? "topup" : "market";
  if (second === "admin" && (third === "vip-sync" || third === "topup")) return "topup";
  if (second === "reseller") return "topup";
  if (second === "v2" && third === "") return "smm";
  if (["seller", "buyer", "admin", "ai", "wallet"].includes(second)) return "market";
  if (second === "services") return "topup";
  if (second === "payment" && APP_PAYMENTS.includes(third)) {
    return "app";
  }
  if (
    second === "orders" &&
    ["prepaid", "social-media", "game", "process", "history"].includes(third)
  ) {
    return "topup";
  }
  return ["payment", "orders", "upload", "website", "plans"].includes(second) ? "hosting" : "app";
}
