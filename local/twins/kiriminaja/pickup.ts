import { randomInt } from "node:crypto";
import { parseWib } from "../common/clock.ts";
import { Fields, isObject, type Json } from "../common/fields.ts";
import { type District, districtOfVillage, findDistrict } from "./districts.ts";
import type { KiriminAja } from "./engine.ts";
import { findService, isServed } from "./prices.ts";
import type { Pickup, Shipment } from "./state.ts";

const phone = /^(08|62)\d+$/;

/** A district by its own id or by one of its villages; says why when there is none. */
function readPlace(fields: Fields, district: string, village: string): District | undefined {
  if (!fields.has(district) && !fields.has(village)) {
    fields.fail(district, "is required");
    return undefined;
  }
  const found = fields.has(district)
    ? findDistrict(fields.int(district))
    : districtOfVillage(fields.int(village));
  if (!found) fields.fail(fields.has(district) ? district : village, "is unknown");
  return found;
}

function readZipcode(fields: Fields, name: string): void {
  const value = fields.raw(name);
  if (typeof value !== "number") fields.text(name, { pattern: /^\d{5}$/ });
  else if (!/^\d{5}$/.test(String(value))) fields.fail(name, "format is invalid");
}

function readSender(fields: Fields, now: number): District | undefined {
  fields.text("name", { required: true, max: 50 });
  fields.text("phone", { required: true, min: 9, max: 13, pattern: phone });
  fields.text("address", { required: true, min: 10, max: 200 });
  readZipcode(fields, "zipcode");
  fields.text("platform_name");
  const schedule = fields.text("schedule", { required: true });
  if (schedule !== undefined) {
    const at = parseWib(schedule);
    if (at === null || schedule.includes("+")) fields.fail("schedule", "format is invalid");
    else if (at < now) fields.fail("schedule", "is in the past");
  }
  return readPlace(fields, "kecamatan_id", "kelurahan_id");
}

function readMoney(fields: Fields): { cost: number; insurance: number; cod: number } {
  const value = fields.int("item_value", { required: true, min: 1000 }) ?? 0;
  const cost = fields.int("shipping_cost", { required: true, min: 1 }) ?? 0;
  const insurance = fields.int("insurance_amount", { min: 0 }) ?? 0;
  const added = fields.int("add_cost", { min: 0 }) ?? 0;
  const cod = fields.int("cod", { required: true, min: 0 }) ?? 0;
  if (cod > 0 && cod !== value + cost + insurance + added) {
    fields.fail("cod", "must be item_value + shipping_cost + insurance_amount + add_cost");
  }
  return { cost, insurance, cod };
}

/** Couriers that fetch by the map, not by the address (kiriminaja.md section 2). */
const byMap = ["lion", "posindonesia"];

function checkPoint(fields: Fields, shipments: { service: string }[]): void {
  const courier = shipments.find(({ service }) => byMap.includes(service))?.service;
  for (const name of courier ? ["latitude", "longitude"] : []) {
    const value = Number(fields.has(name) ? fields.raw(name) : Number.NaN);
    if (!Number.isFinite(value)) fields.fail(name, `is required for ${courier}`);
  }
}

/** Whether the courier's service goes from here to there; the ends' villages do not matter by now. */
function checkService(
  fields: Fields,
  origin: District | undefined,
  to: District | undefined,
): void {
  const service = fields.text("service", { required: true }) ?? "";
  const serviceType = fields.text("service_type", { required: true }) ?? "";
  const found = findService(service, serviceType);
  if (service && serviceType && !found) fields.fail("service_type", "is unknown for this service");
  if (!found || !origin || !to) return;
  const parcel = {
    origin,
    destination: to,
    weightGram: 1,
    lengthCm: 1,
    widthCm: 1,
    heightCm: 1,
    itemValue: 0,
    insured: false,
    villages: fields.has("destination_kelurahan_id"),
  };
  if (!isServed(parcel, found)) fields.fail("service", "does not serve this route");
}

function readPackage(fields: Fields, origin: District | undefined): Omit<Shipment, "pickup"> {
  const orderId = fields.text("order_id", { required: true, max: 20, pattern: /^[A-Za-z]/ }) ?? "";
  fields.text("destination_name", { required: true, max: 50 });
  fields.text("destination_phone", { required: true, min: 9, max: 13, pattern: phone });
  fields.text("destination_address", { required: true, min: 10, max: 255 });
  readZipcode(fields, "destination_zipcode");
  const destination = readPlace(fields, "destination_kecamatan_id", "destination_kelurahan_id");
  for (const name of ["weight", "width", "length", "height", "qty"]) {
    fields.int(name, { required: true, min: 1 });
  }
  fields.text("item_name", { required: true, max: 255 });
  fields.int("package_type_id", { required: true, min: 1 });
  fields.text("note", { max: 50 });
  if (fields.has("items") && !Array.isArray(fields.raw("items"))) {
    fields.fail("items", "must be an array");
  }
  const drop = fields.raw("drop");
  if (drop !== undefined && ![true, false, 0, 1].some((one) => one === drop)) {
    fields.fail("drop", "must be a boolean");
  }
  const { cost, insurance, cod } = readMoney(fields);
  checkService(fields, origin, destination);
  return {
    orderId,
    kjOrderId: `KJ-${randomInt(1e9, 9e9)}`,
    awb: null,
    code: 100,
    given: {},
    service: fields.text("service") ?? "",
    serviceType: fields.text("service_type") ?? "",
    cod,
    shippingCost: cost,
    insuranceAmount: insurance,
    processedAt: null,
    shippedAt: null,
    finishedAt: null,
    returnedAt: null,
    rejectedAt: null,
    cancelledAt: null,
    reason: "",
    histories: [],
  };
}

export interface Refused {
  code: number;
  text: string;
}

function repeated(kiriminAja: KiriminAja, pickup: Pickup): Refused | null {
  const seen = new Set<string>();
  for (const { orderId } of pickup.shipments) {
    const known = kiriminAja.state.shipments.has(orderId);
    const again = known && !kiriminAja.dials.take("repeatOrder", pickup.text);
    if (again || seen.has(orderId))
      return { code: 422, text: `order_id ${orderId} sudah digunakan` };
    seen.add(orderId);
  }
  return null;
}

/** How v6.2 pays: credit needs the PIN and the balance, and takes no COD; else the bill stays open. */
function payment(kiriminAja: KiriminAja, body: Json, pickup: Pickup): Refused | null {
  const now = kiriminAja.clock();
  if (body.payment_method === "credit") {
    if (pickup.shipments.some((shipment) => shipment.cod > 0)) {
      return { code: 4003, text: "COD tidak dapat memakai saldo kredit" };
    }
    if (body.pin !== kiriminAja.pin) return { code: 4001, text: "PIN salah" };
    if (pickup.amount > kiriminAja.state.creditBalance) {
      return { code: 4002, text: "Saldo tidak cukup" };
    }
    kiriminAja.state.creditBalance -= pickup.amount;
    pickup.paidAt = now;
    return null;
  }
  const prepaid = kiriminAja.prepaid || kiriminAja.dials.take("prepaid", pickup.text) !== undefined;
  const allCod = pickup.shipments.every((shipment) => shipment.cod > 0);
  if (!prepaid || allCod) pickup.paidAt = now;
  return null;
}

/** Reads a pickup request, or says why it is refused. Nothing is kept until it is right as a whole. */
export function readPickup(
  kiriminAja: KiriminAja,
  body: unknown,
  raw: string,
  withPayment: boolean,
): Pickup | Refused {
  const fields = new Fields(body);
  const origin = readSender(fields, kiriminAja.clock());
  const given = fields.list("packages", { required: true, min: 1 });
  const pickup: Pickup = {
    number: `XID-${randomInt(1e9, 9e9)}`,
    sender: isObject(body) ? body : {},
    text: raw,
    schedule: fields.text("schedule") ?? "",
    paidAt: null,
    amount: 0,
    shipments: [],
  };
  pickup.shipments = given.map((value, index) => ({
    ...readPackage(fields.at("packages", index, value), origin),
    given: isObject(value) ? value : {},
    pickup,
  }));
  checkPoint(fields, pickup.shipments);
  if (withPayment) {
    fields.text("payment_method", { oneOf: ["credit", "qris", "va"] });
    fields.text("pin", { pattern: /^\d{6}$/ });
  }
  if (fields.errors.length > 0) return { code: 422, text: fields.errors.join("; ") };
  pickup.amount = pickup.shipments
    .filter((shipment) => shipment.cod === 0)
    .reduce((sum, shipment) => sum + shipment.shippingCost + shipment.insuranceAmount, 0);
  const sender = withPayment ? pickup.sender : {};
  return repeated(kiriminAja, pickup) ?? payment(kiriminAja, sender, pickup) ?? pickup;
}
