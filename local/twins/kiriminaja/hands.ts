import type { Json } from "../common/fields.ts";
import { controlAnswer, controlBody, type Handler, json } from "../common/server.ts";
import { type CallbackMethod, callbackMethods } from "./callbacks.ts";
import type { KiriminAja } from "./engine.ts";
import { codes, type Pickup, type Shipment } from "./state.ts";

/** A control call waits this long for the first delivery of its callback, so that a test need not poll. */
const longestWaitMs = 2000;

const destinations = [
  "processed",
  "collected",
  "shipped",
  "finished",
  "returning",
  "returned",
  "rejected",
  "canceled",
  "undelivered",
  "redelivery",
  "lost",
  "damaged",
] as const;
type Destination = (typeof destinations)[number];

function isDestination(value: unknown): value is Destination {
  return (destinations as readonly unknown[]).includes(value);
}

const finalCodes: readonly number[] = [
  codes.delivered,
  codes.cancelled,
  codes.cancelledBySeller,
  codes.returned,
  codes.lost,
  codes.damaged,
];

async function ship(kiriminAja: KiriminAja, shipment: Shipment): Promise<void> {
  shipment.shippedAt ??= kiriminAja.clock();
  kiriminAja.enter(shipment, codes.withCourier, "Paket diterima kurir");
  await kiriminAja.tell(shipment, "shipped_packages");
}

/** Moves a parcel and tells the merchant, as the courier's own events would. What has no callback is only tracked. */
async function moveTo(kiriminAja: KiriminAja, shipment: Shipment, to: Destination): Promise<void> {
  const now = kiriminAja.clock();
  if (to !== "canceled") await kiriminAja.process(shipment);
  switch (to) {
    case "processed":
      return;
    case "collected":
      return kiriminAja.enter(shipment, codes.collected, "Paket diambil driver");
    case "shipped":
      return await ship(kiriminAja, shipment);
    case "finished":
      if (shipment.shippedAt === null) await ship(kiriminAja, shipment);
      shipment.finishedAt = now;
      kiriminAja.enter(shipment, codes.delivered, "Paket diterima pembeli");
      await kiriminAja.tell(shipment, "finished_packages");
      return;
    case "returning":
      kiriminAja.enter(shipment, codes.returning, "Paket dikembalikan ke pengirim");
      await kiriminAja.tell(shipment, "returned_packages");
      return;
    case "returned":
      shipment.returnedAt = now;
      kiriminAja.enter(shipment, codes.returned, "Paket kembali ke pengirim");
      await kiriminAja.tell(shipment, "returned_packages");
      return;
    case "rejected":
      shipment.rejectedAt = now;
      shipment.reason ||= "Alamat tidak ditemukan";
      kiriminAja.enter(shipment, codes.rejected, "Paket ditolak");
      await kiriminAja.tell(shipment, "rejected_packages");
      return;
    case "canceled":
      shipment.reason ||= "Dibatalkan";
      return await kiriminAja.cancel(shipment, codes.cancelled);
    case "undelivered":
      return kiriminAja.enter(shipment, codes.undelivered, "Penerima tidak di tempat");
    case "redelivery":
      return kiriminAja.enter(shipment, codes.redelivery, "Paket diantar ulang");
    case "lost":
      return kiriminAja.enter(shipment, codes.lost, "Paket hilang");
    case "damaged":
      return kiriminAja.enter(shipment, codes.damaged, "Paket rusak");
  }
}

function moveProblem(shipment: Shipment, body: Json): string | null {
  if (!isDestination(body.to)) return `to must be one of ${destinations.join(", ")}`;
  if (body.force === true || body.force === "true") return null;
  if (finalCodes.includes(shipment.code))
    return `the parcel is at ${shipment.code}, which is final`;
  if (body.to === "shipped" && shipment.shippedAt !== null) return "the parcel is shipped already";
  const unpaid = shipment.pickup.paidAt === null && shipment.cod === 0;
  if (unpaid && body.to !== "canceled") return "the pickup is not paid yet";
  return null;
}

function view(kiriminAja: KiriminAja, shipment: Shipment): Json {
  return {
    order_id: shipment.orderId,
    kj_order_id: shipment.kjOrderId,
    awb: shipment.awb,
    status_code: shipment.code,
    service: shipment.service,
    service_type: shipment.serviceType,
    pickup_number: shipment.pickup.number,
    payment_status: shipment.pickup.paidAt === null ? "unpaid" : "paid",
    given: shipment.given,
    notices: kiriminAja.outbox.list(shipment.orderId),
  };
}

const methodOfCode: Record<number, CallbackMethod> = {
  [codes.withCourier]: "shipped_packages",
  [codes.delivered]: "finished_packages",
  [codes.returned]: "returned_packages",
  [codes.returning]: "returned_packages",
  [codes.rejected]: "rejected_packages",
  [codes.cancelled]: "canceled_packages",
  [codes.cancelledBySeller]: "canceled_packages",
};

/** Sends the last callback again; fields of the body other than `sign` and `times` take its fields' place. */
async function renotify(kiriminAja: KiriminAja, shipment: Shipment, body: Json): Promise<Json> {
  const { sign, times, item, method: wanted, ...fields } = body;
  const method =
    callbackMethods.find((one) => one === wanted) ??
    methodOfCode[shipment.code] ??
    "processed_packages";
  const data = item === undefined ? {} : { data: [item] };
  const forged = sign === false || sign === "false";
  const count = Math.min(Math.max(1, Number(times ?? 1)), 100);
  const sends = Array.from({ length: count }, () =>
    kiriminAja.outbox.sendAsIs(
      kiriminAja.noticeOf(shipment, method, { ...data, ...fields }),
      forged,
    ),
  );
  return { deliveries: await Promise.all(sends) };
}

/** What a person or a test does by hand, under `/_`. */
export function handRoutes(kiriminAja: KiriminAja): Record<string, Handler> {
  const onShipment =
    (run: (shipment: Shipment, body: Json) => Promise<Json | string>): Handler =>
    async (request) => {
      const shipment = kiriminAja.find(request.params.id ?? "");
      if (!shipment) return json(404, { error: "no such order" });
      const result = await run(shipment, controlBody(request));
      if (typeof result === "string") return controlAnswer(request, { error: result }, 409);
      return controlAnswer(request, result);
    };
  const within = (work: Promise<void>) =>
    Promise.race([work, kiriminAja.timers.wait(longestWaitMs)]);
  const pickupOf = (id: string): Pickup | undefined =>
    kiriminAja.state.pickups.get(id) ?? kiriminAja.find(id)?.pickup;
  return {
    "POST /_pay/:id": async (request) => {
      const pickup = pickupOf(request.params.id ?? "");
      if (!pickup) return json(404, { error: "no such pickup" });
      await within(kiriminAja.pay(pickup));
      return controlAnswer(request, { pickup_number: pickup.number, payment_status: "paid" });
    },
    "POST /_move/:id": onShipment(async (shipment, body) => {
      const problem = moveProblem(shipment, body);
      if (problem) return problem;
      if (typeof body.reason === "string" && body.reason) shipment.reason = body.reason;
      if (isDestination(body.to)) await within(moveTo(kiriminAja, shipment, body.to));
      return view(kiriminAja, shipment);
    }),
    "POST /_notify/:id": onShipment((shipment, body) => renotify(kiriminAja, shipment, body)),
    "GET /_orders/:id": onShipment(async (shipment) => view(kiriminAja, shipment)),
    "GET /_orders": () =>
      json(
        200,
        [...kiriminAja.state.shipments.values()].map((shipment) => ({
          order_id: shipment.orderId,
          awb: shipment.awb,
          status_code: shipment.code,
        })),
      ),
    "GET /_notices": (request) =>
      json(200, kiriminAja.outbox.list(request.query.get("order_id") ?? undefined)),
  };
}
