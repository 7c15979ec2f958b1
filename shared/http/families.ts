import { UnstorableText } from "../db/errors.ts";
import { AppError, STATUS_OF } from "./errors.ts";
import { inLanguage, type Language } from "./language.ts";

/** The API contracts that share one host, and the pair of paths that two of them share. */
export type FamilyName = "hosting" | "topup" | "smm" | "market" | "auth" | "panel" | "app";

export interface Failure {
  status: number;
  message: string;
  meta: Record<string, unknown>;
}

interface Words {
  language: Language;
  missingToken: string;
  invalidToken: { status: 401 | 403; message: string };
  forbidden: string;
  tooManyRequests: string;
  invalidJson: string;
  /** For a body that does not say that it is JSON. */
  unsupportedType: string;
  tooLarge: string;
  /** For text that cannot be kept. */
  unstorable: string;
  unknownPath(original: string): string;
}

interface Family {
  name: FamilyName;
  words: Words;
  /** The body of a failure. */
  body(failure: Failure): Record<string, unknown>;
  /** True where the caller's own mistakes are answered 200, and only the body tells. */
  quiet?: boolean;
}

const english = {
  language: "en" as const,
  invalidJson: "The body is not valid JSON",
  unsupportedType: "The body must be JSON (application/json)",
  tooLarge: "The body is too large (256 KB at most)",
  unstorable: "The text has characters that cannot be used",
};

const indonesian = {
  language: "id" as const,
  invalidJson: "Isi permintaan bukan JSON yang benar",
  unsupportedType: "Isi permintaan harus JSON (application/json)",
  tooLarge: "Isi permintaan terlalu besar (maksimal 256 KB)",
  unstorable: "Teks berisi karakter yang tidak dapat dipakai",
};

/** These are English in the contracts whose own texts are Indonesian, too. */
const usual = {
  missingToken: "Unauthorized",
  invalidToken: { status: 401 as const, message: "Unauthorized" },
  forbidden: "Forbidden",
  tooManyRequests: "Too many requests",
  unknownPath: () => "Not found",
};

const FAMILIES: Record<FamilyName, Family> = {
  hosting: {
    name: "hosting",
    words: { ...usual, ...indonesian },
    body: ({ status, message }) => ({ error: message, status }),
  },
  topup: {
    name: "topup",
    words: { ...usual, ...english, forbidden: "Insufficient privileges" },
    // `amount`: the price that holds now, of an order at another one.
    body: ({ message, meta: { orderNumber, amount } }) => ({
      success: false,
      message,
      error: message,
      ...(orderNumber === undefined ? {} : { orderNumber }),
      ...(amount === undefined ? {} : { amount }),
    }),
  },
  // The dialect of resellers' panels (https://perfectpanel.com/api): its clients read `error`, never the status.
  smm: {
    name: "smm",
    words: {
      ...usual,
      ...english,
      missingToken: "Invalid API key",
      invalidToken: { status: 401, message: "Invalid API key" },
      invalidJson: "Incorrect request",
      unknownPath: () => "Incorrect request",
    },
    // `words`: what stands behind a word of the dialect, for the people who look into it.
    body: ({ message, meta: { words } }) => ({
      error: message,
      ...(words === undefined ? {} : { message: words }),
    }),
    quiet: true,
  },
  market: {
    name: "market",
    words: { ...usual, ...indonesian },
    body: ({ message, meta }) => ({ data: null, error: message, meta }),
  },
  auth: {
    name: "auth",
    words: { ...usual, ...indonesian },
    body: ({ status, message, meta }) => ({
      success: false,
      data: null,
      error: message,
      message,
      status,
      meta,
    }),
  },
  panel: {
    name: "panel",
    words: {
      ...english,
      missingToken: "unauthorized",
      invalidToken: { status: 401, message: "unauthorized" },
      forbidden: "forbidden",
      tooManyRequests: "too many requests",
      invalidJson: "invalid json body",
      unsupportedType: "content type must be application/json",
      unstorable: "invalid text",
      unknownPath: () => "not found",
    },
    body: ({ message, meta: { update_status } }) => ({
      error: message,
      timestamp: new Date().toISOString(),
      ...(update_status === undefined ? {} : { update_status }),
    }),
  },
  app: {
    name: "app",
    words: {
      ...indonesian,
      missingToken: "Token tidak ditemukan",
      invalidToken: { status: 403, message: "Token tidak valid" },
      forbidden: "Akses ditolak",
      tooManyRequests: "Terlalu banyak permintaan. Coba lagi sebentar lagi.",
      unknownPath: (original) => `Endpoint ${original} tidak ditemukan.`,
    },
    body: ({ message, meta }) => ({ success: false, message, ...meta }),
  },
};

/** The agency screens of the app speak English, and name their own refusals. */
const AGENCY: Family = {
  ...FAMILIES.app,
  words: {
    ...FAMILIES.app.words,
    ...english,
    missingToken: "No token provided",
    invalidToken: { status: 403, message: "Invalid token" },
    forbidden: "Not authorized as agency",
    tooManyRequests: usual.tooManyRequests,
  },
};
const AGENCY_PATH = /^\/api\/agency(\/|$)/;

/** What a quiet family answers 200. How often one may call, and what we could not do, stay statuses. */
const QUIET = [400, 401, 402, 403, 404, 409, 415, 422];

/** First match wins; `/api/payment` and `/api/orders` are shared, so their narrower owners stand first. */
const OWNERS: [RegExp, FamilyName][] = [
  [/^\/(v1|healthz)(\/|$)/, "panel"],
  [/^\/api\/auth\/(register|login|signin|logout)$/, "auth"],
  [/^\/api\/orders\/(prepaid|social-media|game|process|history)(\/|$)/, "topup"],
  [/^\/api\/(services|webhooks\/vip-reseller|admin\/(vip-sync|topup)|reseller)(\/|$)/, "topup"],
  [/^\/api\/v2\/?$/, "smm"],
  [
    /^\/api\/payment\/(packages|create-transaction|status|check-status|history|user-balance)(\/|$)/,
    "app",
  ],
  [/^\/api\/(payment|orders|upload|website|plans)(\/|$)/, "hosting"],
  [/^\/api\/webhooks\/(midtrans|kiriminaja|shopee|lazada|tiktok-shop|replicate)(\/|$)/, "market"],
  [/^\/api\/(seller|buyer|admin|ai|wallet)(\/|$)/, "market"],
];

/** Whose contract a path belongs to; an unknown `/api` path is the app's. */
export function familyOf(path: string): Family {
  if (AGENCY_PATH.test(path)) return AGENCY;
  const owner = OWNERS.find(([pattern]) => pattern.test(path));
  return FAMILIES[owner ? owner[1] : "app"];
}

/** The language of what a path answers. */
export const languageOf = (path: string): Language => familyOf(path).words.language;

/** The status and body that a failure has on this path. Unknown causes become a fixed text. */
export function failureOn(path: string, error: AppError): { status: number; body: object } {
  const family = familyOf(path);
  const { words } = family;
  let status: number = STATUS_OF[error.code];
  let message = inLanguage(error.message, words.language);
  if (error.code === "unauthenticated") message ||= words.missingToken;
  if (error.code === "bad_token") {
    status = words.invalidToken.status;
    message = words.invalidToken.message;
  }
  if (error.code === "forbidden") message ||= words.forbidden;
  if (error.code === "rate_limited") message ||= words.tooManyRequests;
  if (error.code === "invalid_json") message ||= words.invalidJson;
  if (error.code === "unsupported_type") message ||= words.unsupportedType;
  if (error.code === "too_large") message ||= words.tooLarge;
  if (error instanceof UnstorableText) message = words.unstorable;
  if (error.code === "internal") message = "Internal server error";
  const body = family.body({ status, message, meta: error.meta });
  return { status: family.quiet && QUIET.includes(status) ? 200 : status, body };
}

/** `original` is the address as the caller wrote it, which the app's words repeat. */
export const unknownPath = (path: string, original: string) =>
  new AppError("not_found", familyOf(path).words.unknownPath(original));
