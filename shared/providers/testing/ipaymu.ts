import { createIpaymu, type Ipaymu, type RedirectInput } from "../ipaymu.ts";
import type { FakeNetwork } from "./fake-network.ts";

export const VA = "0000001234567890";
export const API_KEY = "SANDBOX-TEST-APIKEY-0001";
export const BASE = "https://sandbox.ipaymu.com/api/v2";
export const SESSION = "5892246c-82e6-4397-af7a-92bff3f96d77";
export const NOW = new Date("2026-11-21T03:00:00Z");

/** A client that talks to nobody but the fake network, and never waits. */
export function fakeIpaymu(network: Pick<FakeNetwork, "fetch">): Ipaymu {
  return createIpaymu({
    va: VA,
    apiKey: API_KEY,
    baseUrl: BASE,
    timeoutMs: 25,
    fetch: network.fetch,
    random: () => 0,
    sleep: async () => undefined,
    now: () => NOW,
  });
}

export const redirect: RedirectInput = {
  providerRef: "ORD-2026-0001",
  amountIdr: 150_000,
  product: "Paket Hosting Personal",
  expiryMinutes: 1440,
  returnUrl: "https://shop.example/return",
  cancelUrl: "https://shop.example/cancel",
  notifyUrl: "https://shop.example/api/payment/callback",
  buyer: { name: "Budi", email: "budi@example.com", phone: "081234567890" },
};

export function transaction(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    TransactionId: 193205,
    SessionId: SESSION,
    ReferenceId: "ORD-2026-0001",
    RelatedId: 0,
    Sender: "System",
    Receiver: "Akun Demo IPAYMU",
    Amount: 150000,
    Fee: 1050,
    Status: 1,
    StatusDesc: "Berhasil",
    PaidStatus: "paid",
    Type: 20,
    Notes: null,
    CreatedDate: "2026-11-21 09:47:53",
    SuccessDate: "2026-11-21 09:48:08",
    ExpiredDate: "2026-11-22 09:47:52",
    ...changes,
  };
}

export const ok = (Data: unknown) => ({ Status: 200, Success: true, Message: "success", Data });

/** The sample D1 of providers/ipaymu.md §4 and the signatures that were computed there for its variants. */
export const CALLBACK: Record<string, unknown> = {
  trx_id: 193205,
  sid: SESSION,
  reference_id: "ORD-2026-0001",
  status: "berhasil",
  status_code: 1,
  sub_total: "150000",
  total: "150000",
  amount: "150000",
  fee: "1050",
  paid_off: 148950,
  created_at: "2026-01-27 02:47:53",
  expired_at: "2026-01-28 02:47:52",
  paid_at: "2026-01-27 02:48:08",
  settlement_status: "settled",
  transaction_status_code: 1,
  is_escrow: false,
  system_notes: "Sandbox notify",
  via: "qris",
  channel: "mpm",
  payment_no: "",
  buyer_name: "Budi",
  buyer_email: "budi@example.com",
  buyer_phone: "081234567890",
  additional_info: [],
  url: "https://shop.example/api/payment/callback",
};

export const SIGNATURES = {
  plain: "46f2ccd077fe227a7ffc40be086b00c069e46b99eb41c80e7400057818ab0db8",
  unescapedSlash: "fe5992465adddd8b17a1bfa4bf73b30977cd950fa85ecb2678eaededc82eddf7",
  escapedLetters: "db02caafb5f8b7ff76d66fc7d0ddd0680965b3688936820d2b43f486f28d140e",
  rawLetters: "7f6bf08313dece804bf66ee4458f8ec1c8cbbc325ff2169242777d542eb1607b",
  twoReferences: "d5d507ad1bdeca9e49e61166cc158d2e37e48a62af300110388e53c18f57be33",
  localeSorted: "622889113055652ffd5fc792f9ca86714113c63998b6bccd00df16182c15ea71",
} as const;

/** A callback as a form sends it: all texts, booleans as `0` and `1`, the empty list dropped. */
export function formOf(callback: Record<string, unknown>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(callback)) {
    if (Array.isArray(value)) continue;
    form.set(name, typeof value === "boolean" ? String(Number(value)) : String(value));
  }
  return form.toString();
}
