import { createMidtrans, type Midtrans, type QrisInput, type SnapInput } from "../midtrans.ts";
import type { FakeNetwork } from "./fake-network.ts";

export const CORE = "https://api.sandbox.midtrans.com";
export const SNAP = "https://app.sandbox.midtrans.com/snap/v1";
export const BASIC = "Basic U0ItTWlkLXNlcnZlci1URVNUS0VZMDAwMTo=";
export const ID = "0d8178e1-c6c7-4ab4-81a6-893be9d924ab";

/** A client that talks to nobody but the fake network, and never waits. */
export function fakeMidtrans(network: FakeNetwork): Midtrans {
  return createMidtrans({
    serverKey: "SB-Mid-server-TESTKEY0001",
    coreUrl: CORE,
    snapUrl: SNAP,
    timeoutMs: 25,
    fetch: network.fetch,
    random: () => 0,
    sleep: async () => undefined,
  });
}

export const qris: QrisInput = {
  providerRef: "ORD-2026-0001",
  amountIdr: 10_000,
  orderTime: new Date("2026-11-21T03:00:00Z"),
  expiryMinutes: 15,
  items: [
    { id: "p1", name: "Kopi Wafero", priceIdr: 6_000, quantity: 2 },
    { id: "promo", name: "Potongan", priceIdr: -2_000, quantity: 1 },
  ],
  customer: { name: "Pembeli Uji", email: "pembeli@example.com", phone: "081200000000" },
  idempotencyKey: "charge-0001",
};
const { orderTime, ...rest } = qris;
export const snap: SnapInput = {
  ...rest,
  startTime: orderTime,
  finishUrl: "https://toko.example/selesai",
};

export function transaction(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    status_code: "201",
    status_message: "QRIS transaction is created",
    transaction_id: ID,
    order_id: "ORD-2026-0001",
    merchant_id: "G000000001",
    gross_amount: "10000.00",
    currency: "IDR",
    payment_type: "qris",
    transaction_time: "2026-11-21 10:00:00",
    transaction_status: "pending",
    fraud_status: "accept",
    acquirer: "gopay",
    ...changes,
  };
}
