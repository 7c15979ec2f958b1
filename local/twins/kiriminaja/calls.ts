import { wib } from "../common/clock.ts";
import { Fields, isObject, type Json, parseJson } from "../common/fields.ts";
import { qrisText, qrSvg } from "../common/qr.ts";
import { type Handler, json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import type { KiriminAja } from "./engine.ts";
import { readPickup } from "./pickup.ts";
import { codes, type Shipment } from "./state.ts";

/** An error as it mostly comes: HTTP 200 and `status: false`. */
export function refused(method: string, code: number, text: string): TwinAnswer {
  return json(200, { status: false, text, method, code });
}

export function accepted(method: string, text: string, rest: Json): TwinAnswer {
  return json(200, { status: true, text, method, ...rest });
}

export function bodyOf(request: TwinRequest): Fields {
  return new Fields(parseJson(request.raw || "{}"));
}

function requestPickup(kiriminAja: KiriminAja, withPayment: boolean): Handler {
  return (request) => {
    const body = parseJson(request.raw);
    const pickup = readPickup(kiriminAja, body, request.raw, withPayment);
    if ("code" in pickup) return refused("request_pickup", pickup.code, pickup.text);
    kiriminAja.addPickup(pickup);
    const unpaid = pickup.paidAt === null;
    const wanted = isObject(body) && withPayment ? (body.payment_method ?? "va") : undefined;
    const rest: Json = {
      payment_status: unpaid ? "unpaid" : "paid",
      qr_url: unpaid && wanted === "qris" ? `${kiriminAja.url}/qr/${pickup.number}` : null,
      pickup_number: pickup.number,
      details: pickup.shipments.map((shipment) => ({
        order_id: shipment.orderId,
        kj_order_id: shipment.kjOrderId,
        awb: null,
        service: shipment.service,
        service_type: shipment.serviceType,
      })),
    };
    if (wanted !== undefined) rest.payment_method = wanted;
    if (wanted === "credit") rest.credit_balance_after = kiriminAja.state.creditBalance;
    return accepted("request_pickup", "Sukses", rest);
  };
}

function trackingDetails(shipment: Shipment): Json {
  const { pickup, given } = shipment;
  const time = (at: number | null) => (at === null ? null : wib(at));
  return {
    awb: shipment.awb,
    order_id: shipment.orderId,
    status_code: null,
    service: shipment.service,
    service_name: shipment.serviceType,
    shipped_at: time(shipment.shippedAt),
    delivered: shipment.finishedAt !== null,
    delivered_at: time(shipment.finishedAt),
    refunded: shipment.returnedAt !== null,
    refunded_at: time(shipment.returnedAt),
    images: { camera_img: null, signature_img: null, pop_img: null },
    costs: {
      add_cost: Number(given.add_cost ?? 0),
      cod: shipment.cod,
      insurance_amount: shipment.insuranceAmount,
      shipping_cost: shipment.shippingCost,
    },
    origin: {
      name: pickup.sender.name,
      phone: pickup.sender.phone,
      address: pickup.sender.address,
    },
    destination: {
      name: given.destination_name,
      phone: given.destination_phone,
      address: given.destination_address,
    },
    estimation: null,
    sorting_code: shipment.awb === null ? null : "TWIN-01",
    signature_code: null,
  };
}

function tracking(kiriminAja: KiriminAja): Handler {
  return (request) => {
    const fields = bodyOf(request);
    const id = fields.text("order_id", { required: true });
    if (id === undefined) return refused("shTracking", 422, fields.errors.join("; "));
    const shipment = kiriminAja.find(id);
    if (!shipment) return refused("shTracking", 404, "Data tidak ditemukan");
    return accepted("shTracking", shipment.histories[0]?.status ?? "", {
      status_code: shipment.code,
      details: trackingDetails(shipment),
      histories: shipment.histories.map((row) => ({
        created_at: wib(row.at),
        status: row.status,
        status_code: row.code,
        driver: "",
        receiver: row.code === codes.delivered ? shipment.given.destination_name : "",
      })),
    });
  };
}

/** Where a parcel is that no courier, and no driver of KiriminAja's, has yet; asked once is asked. */
const notFetched: readonly number[] = [codes.asked, codes.waitingForAwb];

/** Its two values come as query parameters (the SDKs) or as a JSON body (the documents): both hold. */
function cancelShipment(kiriminAja: KiriminAja): Handler {
  return (request) => {
    const body = parseJson(request.raw || "{}");
    const query = Object.fromEntries(request.query);
    const fields = new Fields({ ...query, ...(isObject(body) ? body : {}) });
    const awb = fields.text("awb", { required: true });
    const reason = fields.text("reason", { required: true, min: 5, max: 200 });
    if (fields.errors.length > 0) {
      return refused("cancel_shipment", 422, fields.errors.join("; "));
    }
    const shipment = kiriminAja.state.byAwb.get(awb ?? "");
    if (!shipment) return refused("cancel_shipment", 404, "AWB tidak ditemukan");
    if (!notFetched.includes(shipment.code)) {
      return refused("cancel_shipment", 422, "Paket tidak dapat dibatalkan");
    }
    kiriminAja.askCancel(shipment, reason ?? "");
    return accepted("cancel_shipment", "Permintaan pembatalan diterima", {
      data: { success: "pending", date: wib(kiriminAja.clock()) },
    });
  };
}

function getPayment(kiriminAja: KiriminAja): Handler {
  return (request) => {
    const fields = bodyOf(request);
    const id = fields.text("payment_id", { required: true });
    const pickup = kiriminAja.state.pickups.get(id ?? "");
    if (!pickup) {
      return refused("get_payment", id ? 404 : 422, fields.errors[0] ?? "Data tidak ditemukan");
    }
    return accepted("get_payment", "Sukses", {
      data: {
        payment_id: pickup.number,
        method: "QRIS",
        status_code: pickup.paidAt === null ? "9" : "0",
        amount: String(pickup.amount),
        qr_content: pickup.paidAt === null ? qrisText(pickup.number, pickup.amount) : null,
        paid_at: pickup.paidAt === null ? null : wib(pickup.paidAt),
      },
    });
  };
}

function schedules(kiriminAja: KiriminAja): Handler {
  return () => {
    const hourMs = 3_600_000;
    const first = Math.ceil((kiriminAja.clock() + hourMs) / hourMs) * hourMs;
    const slots = Array.from({ length: 48 }, (_, index) => first + index * hourMs)
      .map((at) => ({ at, clock: wib(at) }))
      .filter(({ clock }) => Number(clock.slice(11, 13)) >= 9 && Number(clock.slice(11, 13)) <= 17);
    return accepted("schedules", "Sukses", {
      schedules: slots.map(({ at, clock }) => ({
        clock,
        until: clock,
        expired: Math.floor((at - hourMs) / 1000),
        libur: false,
      })),
    });
  };
}

function setCallback(kiriminAja: KiriminAja): Handler {
  return (request) => {
    const fields = bodyOf(request);
    const url = fields.text("url", { required: true });
    if (url === undefined || !URL.canParse(url)) {
      return refused("set_callback", 422, "url is not a URL");
    }
    kiriminAja.state.callbackUrl = url;
    return accepted("set_callback", "Sukses", {});
  };
}

/** Up to a hundred waybills on one sheet; the address lies two levels deep, as in the SDKs. */
function printLabel(kiriminAja: KiriminAja): Handler {
  return (request) => {
    const body = parseJson(request.raw || "{}");
    const awbs: unknown = isObject(body) ? body.awb : undefined;
    if (!Array.isArray(awbs) || awbs.length === 0 || awbs.length > 100) {
      return refused("awb_print", 422, "awb must be a list of waybills");
    }
    const known = awbs.every((awb) => typeof awb === "string" && kiriminAja.find(awb)?.awb === awb);
    if (!known) return refused("awb_print", 404, "AWB tidak ditemukan");
    return accepted("awb_print", "Sukses", {
      data: { data: { url: `${kiriminAja.url}/labels/${awbs[0]}` } },
    });
  };
}

/** Pickups, tracking, cancels, labels and payments. */
export function callRoutes(kiriminAja: KiriminAja): Record<string, Handler> {
  return {
    "POST /api/mitra/v6.1/request_pickup": requestPickup(kiriminAja, false),
    "POST /api/mitra/v6.2/request_pickup": requestPickup(kiriminAja, true),
    "POST /api/mitra/tracking": tracking(kiriminAja),
    "POST /api/mitra/v3/cancel_shipment": cancelShipment(kiriminAja),
    "POST /api/mitra/v6.1/awb/print": printLabel(kiriminAja),
    "GET /labels/:awb": (request) => {
      const shipment = kiriminAja.find(request.params.awb ?? "");
      const text = shipment ? `${shipment.awb} ${shipment.orderId}` : "unknown";
      return {
        status: shipment ? 200 : 404,
        headers: { "content-type": "image/svg+xml" },
        body: qrSvg(text),
      };
    },
    "POST /api/mitra/v2/get_payment": getPayment(kiriminAja),
    "POST /api/mitra/v2/schedules": schedules(kiriminAja),
    "POST /api/mitra/set_callback": setCallback(kiriminAja),
    "GET /api/mitra/v6.2/credit/balance": () =>
      accepted("credit_balance", "Sukses", { data: { balance: kiriminAja.state.creditBalance } }),
    "GET /qr/:number": (request) => {
      const pickup = kiriminAja.state.pickups.get(request.params.number ?? "");
      const text = pickup ? qrisText(pickup.number, pickup.amount) : "unknown";
      return {
        status: pickup ? 200 : 404,
        headers: { "content-type": "image/svg+xml" },
        body: qrSvg(text),
      };
    },
  };
}
