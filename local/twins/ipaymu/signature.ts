import { createHash, createHmac } from "node:crypto";
import type { Json } from "../common/fields.ts";

/** The signature of a request (ipaymu.md section 2): HMAC of `METHOD:VA:sha256(body):KEY` under the key. */
export function requestSignature(method: string, va: string, body: string, apiKey: string): string {
  const hash = createHash("sha256").update(body).digest("hex");
  return createHmac("sha256", apiKey)
    .update(`${method.toUpperCase()}:${va}:${hash}:${apiKey}`)
    .digest("hex");
}

/** The variants in which sources describe a notice's signature; the first is the one most agree on. */
export const signatureForms = ["plain", "raw-utf8", "without-empty", "integers"] as const;
export type SignatureForm = (typeof signatureForms)[number];

const amounts = ["sub_total", "total", "amount", "fee"];

function shaped(fields: Json, form: SignatureForm): Json {
  const entries = Object.entries(fields).filter(
    ([, value]) => form !== "without-empty" || (value !== "" && value !== null),
  );
  if (form !== "integers") return Object.fromEntries(entries);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (name === "is_escrow") return [name, value === true ? 1 : 0];
      return [name, amounts.includes(name) ? Number(value) : value];
    }),
  );
}

/** JSON as PHP's `json_encode` writes it: slashes escaped and, unless `raw`, all that is not ASCII. */
function phpJson(value: unknown, raw: boolean): string {
  const text = JSON.stringify(value).replaceAll("/", "\\/");
  if (raw) return text;
  return text.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The signature of a notice (section 4): its typed fields in byte order of their names, under the VA. */
export function noticeSignature(fields: Json, va: string, form: SignatureForm = "plain"): string {
  const { signature: _signature, ...signed } = shaped(fields, form);
  const names = Object.keys(signed).sort((one, other) => Buffer.compare(bytes(one), bytes(other)));
  const sorted = Object.fromEntries(names.map((name) => [name, signed[name]]));
  return createHmac("sha256", va)
    .update(phpJson(sorted, form === "raw-utf8"))
    .digest("hex");
}

function bytes(text: string): Buffer {
  return Buffer.from(text, "utf8");
}
