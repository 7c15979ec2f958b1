import { createHash } from "node:crypto";
import { TWIN_KEYS } from "../../local/settings.ts";
import { headersOf, pick, post } from "../sale/routes.ts";
import type { Route } from "../sides.ts";
import type { TopupSeeds } from "./seed.ts";

/** The hot routes of a top-up. Every order is for another number. */
export function topupRoutes({ customers, codes }: TopupSeeds): Route[] {
  return [
    {
      name: "POST /api/orders/prepaid",
      goal: 1,
      aim: (n) => ({
        ...post(n, "/api/orders/prepaid", {
          service: pick(codes, n),
          phoneNumber: `0812${10_000_000 + n}`,
        }),
        headers: {
          ...headersOf(n),
          authorization: `Bearer ${pick(customers, n).token}`,
        },
      }),
    },
  ];
}

/** A callback of the supplier about a purchase that nobody made. */
export function callbackShot(n: number) {
  const { apiId, apiKey } = TWIN_KEYS.vipReseller;
  const data = {
    trxid: `VPBENCH${n}`,
    data: "081200000000",
    status: "success",
    note: "SN123",
    price: 5000,
  };
  return {
    method: "POST",
    path: "/api/webhooks/vip-reseller",
    headers: {
      ...headersOf(n),
      "x-client-signature": createHash("md5")
        .update(apiId + apiKey)
        .digest("hex"),
    },
    body: JSON.stringify({ data }),
  };
}
