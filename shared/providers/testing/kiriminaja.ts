import { createKiriminAja, type KiriminAja, type PickupInput } from "../kiriminaja.ts";
import type { FakeNetwork, Reply } from "./fake-network.ts";

export const BASE = "https://tdev.kiriminaja.com";
export const KEY = "kiriminaja-test-key-0001";
export const PATHS = {
  areas: `${BASE}/api/mitra/v2/get_address_by_name`,
  rates: `${BASE}/api/mitra/v6.1/shipping_price`,
  pickup: `${BASE}/api/mitra/v6.2/request_pickup`,
  tracking: `${BASE}/api/mitra/tracking`,
  cancel: `${BASE}/api/mitra/v3/cancel_shipment`,
  payment: `${BASE}/api/mitra/v2/get_payment`,
} as const;

/** A client that talks to nobody but the fake network, and never waits. */
export function fakeKiriminAja(network: FakeNetwork): KiriminAja {
  return createKiriminAja({
    apiKey: KEY,
    baseUrl: BASE,
    timeoutMs: 25,
    fetch: network.fetch,
    random: () => 0,
    sleep: async () => undefined,
  });
}

/** Lets one endpoint give these answers, in this order. */
export function replyTo(network: FakeNetwork, path: keyof typeof PATHS, ...replies: Reply[]) {
  for (const reply of replies) network.on("POST", PATHS[path], reply);
}

export const sender = {
  name: "Toko Wafero",
  phone: "+62 812-0000-0001",
  address: "Jalan Contoh No. 1, Blitar",
  districtId: "5788",
  zipcode: "66111",
  latitude: -8.1,
  longitude: 112.16,
};
export const parcel = {
  orderRef: "LB1001",
  destination: {
    name: "Pembeli Uji",
    phone: "081200000002",
    address: "Jalan Tujuan No. 2, Lampung",
    districtId: "3175",
    villageId: "31554",
    zipcode: "salah",
  },
  weightGram: 1000,
  lengthCm: 20,
  widthCm: 30,
  heightCm: 15,
  quantity: 2,
  itemName: "Sepatu",
  itemValueIdr: 250_000,
  shippingCostIdr: 64_000,
  service: "jne",
  serviceType: "REG23",
};
export const pickup: PickupInput = {
  sender,
  schedule: new Date("2026-11-22T03:00:00Z"),
  packages: [parcel],
};

export const tracking = {
  status: true,
  text: "Delivered to BAGUS",
  method: "shTracking",
  status_code: 200,
  details: {
    awb: "DEVEL-000000004",
    order_id: "LB1001",
    status_code: null,
    service: "jne",
    shipped_at: "2021-07-13 17:44:04",
    delivered: true,
    delivered_at: "2021-10-17 16:53:00",
    refunded: false,
    refunded_at: "",
  },
  histories: [
    {
      created_at: "2021-07-14 16:00:00",
      status: "Delivered to BAGUS",
      status_code: 200,
      driver: "",
      receiver: "BAGUS",
    },
    { created_at: "2021-07-14 09:53:00", status: "With delivery courier", status_code: 100 },
  ],
};
