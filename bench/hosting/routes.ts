import { headersOf, pick, post } from "../sale/routes.ts";
import type { Route } from "../sides.ts";
import { type Customer, type HostingSeeds, PLAN } from "./seed.ts";

const as = (n: number, { token }: Customer) => ({
  ...headersOf(n),
  authorization: `Bearer ${token}`,
});

/** The hot routes of hosting. Every order is for another domain. */
export function hostingRoutes({ buyers, readers }: HostingSeeds): Route[] {
  return [
    {
      name: "GET  /api/orders",
      goal: 1,
      aim: (n) => ({ method: "GET", path: "/api/orders", headers: as(n, pick(readers, n)) }),
    },
    {
      name: "POST /api/payment/create",
      goal: 1,
      aim: (n) => ({
        ...post(n, "/api/payment/create", {
          planName: PLAN.name,
          planType: "hosting",
          price: PLAN.price,
          metadata: { domain: `situs-${n}.web.id` },
        }),
        headers: as(n, pick(buyers, n)),
      }),
    },
  ];
}
