import { timingSafeEqual } from "node:crypto";
import { json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { detailWords, orderData, serviceData, statusData } from "./bodies.ts";
import type { Family, GameService, Service, SocialService } from "./catalogue/services.ts";
import type { OrderInput, Vip } from "./engine.ts";
import { type Form, readable, readForm } from "./form.ts";
import { nicknameOf, regionCode, regionMinimum } from "./nicknames.ts";
import { isFinal, type Order } from "./state.ts";

/** Every answer comes with HTTP 200; only `result` tells a refusal. */
export function refused(message: string, data: unknown = null): TwinAnswer {
  return json(200, { result: false, data, message });
}

function good(data: unknown, message: string, more: object = {}): TwinAnswer {
  return json(200, { result: true, data, message, ...more });
}

const words = {
  empty: "Masih ada parameter yang kosong.",
  wrong: "Nomor salah.",
  noService: "Layanan tidak ditemukan.",
  notForSale: "Layanan tidak ditemukan atau saat ini tidak tersedia.",
  noOrder: "Transaksi tidak ditemukan.",
  tooFew: "Pesanan Anda kurang dari jumlah pesanan minimum.",
  tooMany: "Pesanan Anda melebihi batas pesanan maksimum.",
  pending: "Masih terdapat pesanan pending dengan target yang sama.",
  poor: "Saldo Anda tidak cukup untuk melakukan pemesanan ini",
  services: "Daftar layanan berhasil didapatkan.",
  ordered: "Pesanan berhasil, pesanan akan diproses.",
} as const;

/** A refusal in the provider's words, thrown by what reads an order. */
class Refused extends Error {}

function need(form: Form, name: string): string {
  const value = form[name]?.trim();
  if (!value) throw new Refused(words.empty);
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Refused(words.wrong);
  return Number(text);
}

function bounded(quantity: number, min: number, max: number): number {
  if (quantity < min) throw new Refused(words.tooFew);
  if (quantity > max) throw new Refused(words.tooMany);
  return quantity;
}

function readGame(form: Form, service: GameService): Omit<OrderInput, "text" | "service"> {
  const target = need(form, "data_no");
  const zone = service.needsZone ? need(form, "data_zone") : (form.data_zone ?? "");
  if (!service.boost) return { target, zone, additional: "", quantity: 1 };
  const additional = need(form, "additional_data");
  const wanted = wholeNumber(need(form, "quantity"));
  const quantity = service.boost === "package" ? bounded(wanted, 1, 1) : bounded(wanted, 3, 100);
  return { target, zone, additional, quantity };
}

function readSocial(
  vip: Vip,
  form: Form,
  service: SocialService,
): Omit<OrderInput, "text" | "service"> {
  const target = need(form, "data");
  const quantity = bounded(wholeNumber(need(form, "quantity")), service.min, service.max);
  for (const order of vip.state.orders.values()) {
    if (order.family !== "social-media" || order.target !== target) continue;
    if (!isFinal(order.status)) throw new Refused(words.pending);
  }
  return { target, zone: "", additional: "", quantity };
}

function readOrder(vip: Vip, family: Family, form: Form): OrderInput {
  const service = vip.state.services.get(family)?.get(need(form, "service"));
  const { key: _key, sign: _sign, ...said } = form;
  const text = Object.values(said).join("\n");
  if (!service) throw new Refused(words.notForSale);
  const rest = restOf(vip, form, service);
  const gone = service.stock !== null && service.stock < rest.quantity;
  if (service.status !== "available" || gone) throw new Refused(words.notForSale);
  return { service, text, ...rest };
}

function restOf(vip: Vip, form: Form, service: Service): Omit<OrderInput, "text" | "service"> {
  switch (service.family) {
    case "prepaid": {
      const target = need(form, "data_no");
      if (!/^\d{6,20}$/.test(target)) throw new Refused(words.wrong);
      return { target, zone: "", additional: "", quantity: 1 };
    }
    case "game-feature":
      return readGame(form, service);
    case "social-media":
      return readSocial(vip, form, service);
    default:
      return service satisfies never;
  }
}

async function placeOrder(vip: Vip, family: Family, form: Form): Promise<TwinAnswer> {
  const input = readOrder(vip, family, form);
  const price = vip.priceOf(input);
  const poor = vip.own.text("lowBalance", `${input.service.code}\n${input.text}`, "");
  if (poor !== null) throw new Refused(poor ? `${words.poor} ${poor}.` : `${words.poor}.`);
  if (vip.state.account.balance < price) throw new Refused(`${words.poor}.`);
  const order = await vip.open(input, price);
  const data = orderData(order, vip.wordOf(order));
  return good({ ...data, balance: vip.state.account.balance }, words.ordered);
}

function listStatus(vip: Vip, family: Family, form: Form): TwinAnswer {
  const show = (order: Order) => statusData(order, vip.wordOf(order));
  if (form.trxid) {
    const order = vip.state.orders.get(form.trxid);
    if (order?.family !== family) return refused(words.noOrder);
    return good([show(order)], detailWords);
  }
  const limit = vip.mostListed(family, wholeNumber(need(form, "limit")));
  const latest = [...vip.state.orders.values()].filter(
    (order) => order.family === family && vip.isListed(order),
  );
  return good(limit > 0 ? latest.slice(-limit).reverse().map(show) : [], detailWords);
}

function filterOf(family: Family, form: Form): (service: Service) => boolean {
  const { filter_type: by, filter_value: given } = form;
  if (!by && !given) return () => true;
  const value = (given ?? "").toLowerCase();
  const known: Record<Family, readonly string[]> = {
    prepaid: ["type", "brand"],
    "game-feature": ["game"],
    "social-media": ["category"],
  };
  if (!by || !known[family].includes(by)) throw new Refused(words.noService);
  return (service) => {
    if (service.family === "game-feature") return service.game.toLowerCase() === value;
    if (service.family === "social-media") return service.category.toLowerCase() === value;
    return (by === "type" ? service.type : service.brand).toLowerCase() === value;
  };
}

function listServices(vip: Vip, family: Family, form: Form): TwinAnswer {
  const wanted = filterOf(family, form);
  const status = family === "game-feature" ? form.filter_status : undefined;
  const found = [...(vip.state.services.get(family)?.values() ?? [])].filter(
    (service) => wanted(service) && (!status || service.status === status),
  );
  return found.length > 0 ? good(found.map(serviceData), words.services) : refused(words.noService);
}

/** Stock of one game service: `server` is a number here, a text in `services`. */
function getStock(vip: Vip, form: Form): TwinAnswer {
  const service = vip.state.services.get("game-feature")?.get(need(form, "service"));
  if (service?.family !== "game-feature") return refused(words.noService);
  const { code, name, price, description, server, status } = service;
  const stock = service.stock ?? 0;
  const message = stock > 0 ? "Stok tersedia." : "Stok tidak tersedia.";
  return good({ code, name, price, description, stock, server, status }, message);
}

function getNickname(vip: Vip, form: Form): TwinAnswer {
  const code = need(form, "code");
  if (code === regionCode && vip.state.account.balance < regionMinimum) {
    return refused(`Saldo akun minimum Anda adalah ${regionMinimum}.`);
  }
  const found = nicknameOf(code, need(form, "target"), form.additional_target ?? "");
  if (!found.ok) return refused(found.message);
  return good(found.nickname, "Success.", code === regionCode ? { country: found.country } : {});
}

function getProfile(vip: Vip): TwinAnswer {
  const { fullName, username, balance, point, level, registered } = vip.state.account;
  return good(
    {
      full_name: fullName,
      username,
      balance,
      point,
      level: `${level.charAt(0).toUpperCase()}${level.slice(1)}`,
      registered,
    },
    "Successfully got your account details.",
  );
}

function same(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Who may not call, or null: key, sign, address. */
function refusal(vip: Vip, form: Form, text: string): TwinAnswer | null {
  const { account } = vip.state;
  if (!form.key || !form.sign) return refused("Request not detected.", form);
  if (!same(form.key, account.apiKey)) return refused("API Key not registered.");
  if (!same(form.sign, vip.sign)) return refused("API Signature not valid.");
  const address = vip.own.text("callerAddress", text, "203.0.113.7") ?? "127.0.0.1";
  return account.whitelist.includes(address) ? null : refused(`IP ${address} is not permitted`);
}

async function act(vip: Vip, endpoint: Family | "profile", form: Form): Promise<TwinAnswer> {
  if (endpoint === "profile") return getProfile(vip);
  const type = form.type ?? "";
  if (type === "order") return await placeOrder(vip, endpoint, form);
  if (type === "status") return listStatus(vip, endpoint, form);
  if (type === "services") return listServices(vip, endpoint, form);
  if (endpoint === "game-feature" && type === "service-stock") return getStock(vip, form);
  if (endpoint === "game-feature" && type === "get-nickname") return getNickname(vip, form);
  return refused(`Type '${type}' is not valid`);
}

/** One endpoint: what is refused is refused with HTTP 200 and words. */
export function endpoint(vip: Vip, name: Family | "profile") {
  return async (request: TwinRequest): Promise<TwinAnswer> => {
    const form = await readForm(request);
    if (!form) return refused("Request not detected.", {});
    const text = `${request.path}\n${readable(request)}`;
    const no = refusal(vip, form, text);
    if (no) return no;
    const dial = vip.own.take("say", text, request.path);
    if (dial && !dial.acts) return refused(String(dial.value));
    try {
      const answer = await act(vip, name, form);
      return dial ? refused(String(dial.value)) : answer;
    } catch (error) {
      if (error instanceof Refused) return refused(error.message);
      throw error;
    }
  };
}
