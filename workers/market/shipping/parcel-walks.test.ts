import { describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { confirmReceived } from "../orders/buyer.ts";
import { shipOrder } from "../orders/seller.ts";
import { cancelOf, refundOf } from "../testing/money.ts";
import {
  callBack,
  change,
  monthPasses,
  NOTHING,
  seen,
  type Told,
  toldBy,
} from "../testing/parcel-walks.ts";
import {
  courierContext,
  courierDial,
  handedOver,
  moveParcel,
  parcelOfSale,
  runPickup,
} from "../testing/parcels.ts";
import { openShop, quietContext, type Sale, sell, settle } from "../testing/sales.ts";
import { followParcel } from "./courier-news.ts";

/** What the people of an order do about its parcel. */
const ship = (tracking: string, status: "picked_up" | "in_transit") => (sale: Sale) =>
  shipOrder(
    { ...courierContext(), actor: sale.seller },
    { order_id: sale.orderId, courier: "pos", tracking_code: tracking, status },
  );
const received = (sale: Sale) =>
  confirmReceived({ ...quietContext(), actor: sale.buyer }, sale.orderId);
const post = (sale: Sale, path: string, token: string) =>
  api(path.replace(":id", sale.orderId), {
    method: "POST",
    token,
    json: { reason: "Foto serah terima" },
  });
const callOff = (sale: Sale) =>
  post(sale, "/api/seller/orders/:id/cancel-pickup", sale.seller.token);
const declared = async (sale: Sale) =>
  post(sale, "/api/admin/orders/:id/delivered", (await createUser(["admin"])).token);
const refunded = async (sale: Sale) => refundOf(await createUser(["admin"]), sale, {});

type Act = (sale: Sale) => Promise<unknown>;
/** What happens, and what both sides are told of it; a place of the courier's twin is asked for three times at once. */
type Step = [happens: string | Act, told: Told | null];

const walks: Record<string, Step[]> = {
  "its whole way": [
    ["processed", "waybill"],
    ["collected", "fetched"],
    ["shipped", "travels"],
    ["finished", "delivered"],
  ],
  "not fetched by a driver first": [
    ["shipped", "fetched"],
    ["finished", "delivered"],
  ],
  "delivered at once": [["finished", "delivered"]],
  "tried again twice": [
    ["shipped", "fetched"],
    ["undelivered", "failed"],
    ["redelivery", "redelivery"],
    ["undelivered", "failed"],
    ["redelivery", "redelivery"],
    ["undelivered", "failed"],
    ["finished", "delivered"],
  ],
  "found again twice": [
    ["shipped", "fetched"],
    ["lost", "failed"],
    ["shipped", "resumed"],
    ["damaged", "failed"],
    ["shipped", "resumed"],
    ["lost", "failed"],
    ["returned", "returned"],
  ],
  "one trouble after the other, back and forth": [
    ["shipped", "fetched"],
    ["undelivered", "failed"],
    ["rejected", "refused"],
    ["undelivered", "failed"],
    ["rejected", "refused"],
    ["returning", "returning"],
    ["undelivered", "failed"],
    ["returning", "returning"],
    ["lost", "failed"],
    ["returned", "returned"],
  ],
  "refused, back, and sent once more by its seller": [
    ["shipped", "fetched"],
    ["rejected", "refused"],
    ["returning", "returning"],
    ["returned", "returned"],
    [ship("POS1", "picked_up"), "sent"],
    [ship("POS1", "in_transit"), "travels"],
    [ship("POS2", "in_transit"), "corrected"],
    [ship("POS1", "in_transit"), "corrected"],
    [ship("POS2", "in_transit"), "corrected"],
    [received, "delivered"],
  ],
  "cancelled and carried all the same, three times": [
    ["shipped", "fetched"],
    ["canceled", "cancelled"],
    ["shipped", "travels"],
    ["canceled", "cancelled"],
    ["shipped", "travels"],
    ["canceled", "cancelled"],
    ["collected", "travels"],
    ["shipped", "travels"],
    ["finished", "delivered"],
  ],
  "fetched, cancelled, carried": [
    ["collected", "fetched"],
    ["shipped", "travels"],
    ["canceled", "cancelled"],
    ["shipped", "travels"],
  ],
  "cancelled and in trouble all the same": [
    ["processed", "waybill"],
    ["canceled", "cancelled"],
    ["undelivered", "failed"],
    ["shipped", "fetched"],
    ["canceled", "cancelled"],
    ["returning", "returning"],
    ["returned", "returned"],
  ],
  "called back by its seller": [
    ["processed", "waybill"],
    [callOff, "calledBack"],
    ["canceled", "cancelled"],
    [ship("POS1", "in_transit"), "sent"],
    [received, "delivered"],
  ],
  "sent by its seller before the courier came": [
    ["processed", "waybill"],
    [ship("POS1", "in_transit"), "sent"],
    ["canceled", null],
    ["finished", null],
  ],
  "given to its buyer by an admin's word": [
    ["processed", "waybill"],
    [declared, "delivered"],
    ["canceled", null],
  ],
  "unheard of for a month, and there by its buyer's word": [
    ["shipped", "fetched"],
    [monthPasses, "quiet"],
    [received, "delivered"],
    ["finished", null],
  ],
  "unheard of for a month, and carried on": [
    ["processed", "waybill"],
    [monthPasses, "quiet"],
    ["shipped", "fetched"],
    ["returning", "returning"],
  ],
  "at its buyer although his money went back": [
    ["shipped", "fetched"],
    ["undelivered", "failed"],
    ["redelivery", "redelivery"],
    [(sale) => refunded(sale).then(() => undefined), "refunded"],
    ["undelivered", "failed"],
    ["shipped", "resumed"],
    ["finished", "arrived"],
  ],
  "given up by its seller, carried all the same": [
    [(sale) => cancelOf(sale.seller, sale), "givenUp"],
    ["canceled", null],
    ["shipped", "travels"],
    ["canceled", "cancelled"],
    ["shipped", "travels"],
    ["finished", "arrived"],
  ],
};

describe("each change of a parcel is told live and by mail, to buyer and seller, once", () => {
  it("that its courier was asked to come", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    expect(await toldBy(sale, () => runPickup(sale))).toEqual(change("asked"));
    expect(await toldBy(sale, () => seen(sale, "processed"))).toEqual(change("waybill"));
  });

  it.each(Object.entries(walks))("%s", { timeout: 60_000 }, async (_, steps) => {
    const sale = await handedOver();
    await courierDial(sale.number, { cancelDelayMs: 60_000 });
    for (const [index, [happens, told]] of steps.entries()) {
      const act = () => (typeof happens === "string" ? seen(sale, happens) : happens(sale));
      const step = `${index}. ${typeof happens === "string" ? happens : (told ?? "done")}`;
      expect({ step, ...(await toldBy(sale, act)) }).toEqual({
        step,
        ...(told ? change(told) : NOTHING),
      });
      const again = async () => {
        if (typeof happens !== "string") await happens(sale);
        await callBack(sale, "something_new");
      };
      expect({ step, ...(await toldBy(sale, again)) }).toEqual({ step, ...NOTHING });
    }
  });
});

describe("each of the courier's callbacks is told live and by mail, to buyer and seller, once", () => {
  const day = { shipped_at: "2026-11-21 10:00:00" };
  it.each<[method: string, to: string, told: Told, fields: object]>([
    ["processed_packages", "processed", "waybill", { awb: "x" }],
    ["shipped_packages", "collected", "fetched", day],
    ["shipped_packages", "shipped", "fetched", day],
    ["finished_packages", "finished", "delivered", { finished_at: "2026-11-21 10:00:00" }],
    ["canceled_packages", "canceled", "cancelled", { canceled_at: "2026-11-21 10:00:00" }],
    ["rejected_packages", "rejected", "refused", { rejected_at: "2026-11-21 10:00:00" }],
    ["rejected_packages", "lost", "failed", {}],
    ["returned_packages", "returning", "returning", { returned_at: null }],
    ["returned_packages", "returned", "returned", { returned_at: "2026-11-21 10:00:00" }],
    ["return_finished_packages", "returned", "returned", {}],
    ["validated_packages", "processed", "waybill", { shipping_cost: 18_000 }],
    ["update_instant_packages", "collected", "fetched", { status: "picked_up" }],
    ["update_instant_packages", "shipped", "fetched", { status: "sent" }],
    ["update_instant_packages", "undelivered", "failed", { status: "no_driver" }],
    ["update_instant_packages", "finished", "delivered", { status: "delivered" }],
    ["update_instant_packages", "canceled", "cancelled", { status: "cancel" }],
    ["update_instant_packages", "returning", "returning", { status: "return" }],
    ["update_instant_packages", "returned", "returned", { status: "returned" }],
    ["something_new", "shipped", "fetched", {}],
  ])("%s, the parcel being %s", async (method, to, told, fields) => {
    const sale = await handedOver();
    const tell = async () => {
      await moveParcel(sale, to);
      await callBack(sale, method, fields);
    };
    expect(await toldBy(sale, tell)).toEqual(change(told));
    const repeat = () => callBack(sale, method, { ...fields, date: "2026-11-22 10:00:00" });
    expect(await toldBy(sale, repeat)).toEqual(NOTHING);
  });
});

describe("an answer of the courier that another one has overtaken", () => {
  it("is asked for again, and tells nobody what is over", async () => {
    const sale = await handedOver();
    await seen(sale, "shipped");
    await seen(sale, "undelivered");
    const ctx = courierContext();
    const { kiriminaja } = ctx.providers;
    let asked = 0;
    // The first answer is from before the parcel goes on, and comes after that was recorded.
    const track = async (number: string) => {
      const answer = await kiriminaja.track(number);
      asked += 1;
      if (asked === 1) await seen(sale, "redelivery");
      return answer;
    };
    const slow = { ...ctx, providers: { ...ctx.providers, kiriminaja: { ...kiriminaja, track } } };
    expect(await toldBy(sale, () => followParcel(slow, sale.number))).toEqual(change("redelivery"));
    expect(asked).toBe(2);
    expect(await parcelOfSale(sale)).toMatchObject({ status: "in_transit" });
  });
});
