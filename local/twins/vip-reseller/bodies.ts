import type { Json } from "../common/fields.ts";
import type { Service } from "./catalogue/services.ts";
import type { Order } from "./state.ts";

/** One order as `order` and `status` show it; neither has a time, a reference of ours, or a serial field. */
export function orderData(order: Order, status: string = order.status): Json {
  const { service, trxid, note, price } = order;
  const head = { trxid, data: order.target };
  switch (order.family) {
    case "prepaid":
      return { ...head, code: service.code, service: service.name, status, note, price };
    case "game-feature": {
      const boosting = order.additional ? { additional_data: order.additional } : {};
      const zone = order.zone;
      const shown = service.family === "game-feature" ? `${service.game} - ${service.name}` : "";
      return { ...head, zone, ...boosting, service: shown, status, note, price };
    }
    case "social-media": {
      const { quantity } = order;
      return { ...head, service: service.name, quantity, status, note, price };
    }
    default:
      return order.family satisfies never;
  }
}

/** An item of `status`: social media tells there how much is left and where it began. */
export function statusData(order: Order, status: string = order.status): Json {
  const data = orderData(order, status);
  if (order.family !== "social-media") return data;
  return { ...data, remain: order.remain, count: order.count };
}

/** An item of `services`. */
export function serviceData(service: Service): Json {
  const { code, name, price, status } = service;
  switch (service.family) {
    case "prepaid":
      return {
        brand: service.brand,
        code,
        name,
        note: service.note,
        price,
        status,
        multi_trx: service.multiTrx,
        maintenace: service.maintenance,
        category: service.category,
        prepost: "prepaid",
        type: service.type,
      };
    case "game-feature":
      return { code, game: service.game, name, price, server: String(service.server), status };
    case "social-media": {
      const { category, min, max, note } = service;
      return { category, id: Number(code), min, max, name, note, price, status };
    }
    default:
      return service satisfies never;
  }
}

export const detailWords = "Detail transaksi berhasil didapatkan.";

/** The body of a notice: an object in `data`, for prepaid a list; `swapped` the other way round. */
export function noticeBody(order: Order, data: Json, swapped: boolean): Json {
  const inList = (order.family === "prepaid") !== swapped;
  return inList ? { result: true, data: [data], message: detailWords } : { data };
}
