import { utf8 } from "../../../shared/crypto/index.ts";
import { testContext } from "../../testing/api.ts";
import type { CallbackBody } from "../orders/callbacks.ts";

/** The forms in which a callback comes: the supplier's own, with one order or a list of them, and the specification's. */
export type Form = "provider" | "list" | "specification";

/** MD5 as the supplier's documents use it, apart from the code under test. */
export async function md5(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("MD5", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A body as the route reads it. */
export function received(text: string): CallbackBody {
  const bytes = utf8(text);
  return { bytes, length: bytes.length };
}

/** Our account with the supplier. */
export function supplierAccount(): { id: string; key: string } {
  const { VIP_RESELLER_API_ID: id, VIP_RESELLER_API_KEY: key } = testContext().config;
  return { id, key };
}

/** A callback in one of its forms, signed as the documents say. */
export async function callbackOf(
  trxid: string,
  status: string,
  form: Form = "provider",
  note = "",
  target = "0812",
): Promise<{ body: string; headers: Record<string, string> }> {
  const { id, key } = supplierAccount();
  const data = { trxid, data: target, service: "x", status, note, price: 1 };
  if (form === "specification") {
    const body = JSON.stringify({ trx_id: trxid, status, sn: note, note });
    return { body, headers: { "x-vip-signature": await md5(`${trxid}${status}${key}`) } };
  }
  const body = JSON.stringify(form === "list" ? { result: true, data: [data] } : { data });
  return { body, headers: { "x-client-signature": await md5(`${id}${key}`) } };
}
