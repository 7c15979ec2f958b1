import { z } from "zod";
import { invalidInput } from "../provider-error.ts";
import { formatWib } from "../wib-time.ts";

export const PROVIDER = "kiriminaja";

export interface PickupAddress {
  name: string;
  phone: string;
  address: string;
  districtId: string;
  villageId?: string;
  zipcode?: string;
}

export interface PickupInput {
  sender: PickupAddress & { latitude?: number; longitude?: number };
  /** When the parcels are ready to be fetched. */
  schedule: Date;
  /** `credit` needs the account's PIN; without a choice KiriminAja opens a virtual account bill. */
  payment?: { method: "qris" } | { method: "credit"; pin: string };
  packages: {
    /** Our order number there: at most 20 characters, beginning with a letter. */
    orderRef: string;
    destination: PickupAddress;
    weightGram: number;
    lengthCm: number;
    widthCm: number;
    heightCm: number;
    quantity: number;
    itemName: string;
    itemValueIdr: number;
    /** The rate's price, unchanged. */
    shippingCostIdr: number;
    /** Courier code and service type of the chosen rate. */
    service: string;
    serviceType: string;
    insuranceIdr?: number;
    dropOff?: boolean;
    note?: string;
  }[];
}

/** KiriminAja's limits (providers/kiriminaja.md §2), checked here because its own refusal may come too late. */
const whole = z.number().int().min(1);
const Address = z.object({
  name: z.string().min(1).max(50),
  phone: z.string().regex(/^(08|62)\d{7,11}$/),
  address: z.string().min(10),
  zipcode: z
    .string()
    .regex(/^\d{5}$/)
    .optional(),
});
const Limits = z.object({
  sender: Address.extend({ address: z.string().min(10).max(200) }),
  packages: z
    .array(
      z.object({
        orderRef: z.string().regex(/^[A-Za-z][\w.-]{0,19}$/),
        destination: Address.extend({ address: z.string().min(10).max(255) }),
        weightGram: whole,
        lengthCm: whole,
        widthCm: whole,
        heightCm: whole,
        quantity: whole,
        itemName: z.string().min(1).max(255),
        itemValueIdr: z.number().int().min(1000),
        shippingCostIdr: z.number().int().min(0),
        service: z.string().min(1),
        serviceType: z.string().min(1),
        note: z.string().max(50).optional(),
      }),
    )
    .min(1),
});

/** The request body; throws `ProviderError` of kind `invalid`, naming the field, when a limit is broken. */
export function pickupBody(input: PickupInput): Record<string, unknown> {
  const { sender, packages } = input;
  const tidy = {
    sender: tidyAddress(sender),
    packages: packages.map((parcel) => ({
      ...parcel,
      destination: tidyAddress(parcel.destination),
    })),
  };
  const checked = Limits.safeParse(tidy);
  if (!checked.success) {
    const field = checked.error.issues[0]?.path.join(".") ?? "input";
    throw invalidInput(PROVIDER, `${field} breaks a limit of the courier`);
  }
  return {
    name: tidy.sender.name,
    phone: tidy.sender.phone,
    address: tidy.sender.address,
    kecamatan_id: areaNumber(sender.districtId),
    ...(sender.villageId && { kelurahan_id: areaNumber(sender.villageId) }),
    ...(tidy.sender.zipcode && { zipcode: tidy.sender.zipcode }),
    ...(sender.latitude !== undefined && { latitude: sender.latitude }),
    ...(sender.longitude !== undefined && { longitude: sender.longitude }),
    schedule: formatWib(input.schedule),
    platform_name: "lumbung",
    ...(input.payment && { payment_method: input.payment.method }),
    ...(input.payment?.method === "credit" && { pin: input.payment.pin }),
    packages: tidy.packages.map(packageBody),
  };
}

/**
 * The newest table of the vendor names the destination fields otherwise; its own sample and plugin keep these names
 * (providers/kiriminaja.md §2).
 */
function packageBody(parcel: PickupInput["packages"][number]): Record<string, unknown> {
  const { destination } = parcel;
  return {
    order_id: parcel.orderRef,
    destination_name: destination.name,
    destination_phone: destination.phone,
    destination_address: destination.address,
    destination_kecamatan_id: areaNumber(destination.districtId),
    ...(destination.villageId && { destination_kelurahan_id: areaNumber(destination.villageId) }),
    ...(destination.zipcode && { destination_zipcode: destination.zipcode }),
    weight: parcel.weightGram,
    width: parcel.widthCm,
    length: parcel.lengthCm,
    height: parcel.heightCm,
    qty: parcel.quantity,
    item_name: parcel.itemName,
    item_value: parcel.itemValueIdr,
    shipping_cost: parcel.shippingCostIdr,
    service: parcel.service,
    service_type: parcel.serviceType,
    package_type_id: 7,
    insurance_amount: parcel.insuranceIdr ?? 0,
    add_cost: 0,
    cod: 0,
    drop: parcel.dropOff ?? false,
    ...(parcel.note && { note: parcel.note }),
  };
}

/** Area ids are numbers there and opaque texts here. */
export function areaNumber(areaId: string): number {
  const id = /^\d{1,12}$/.test(areaId) ? Number(areaId) : 0;
  if (id < 1) throw invalidInput(PROVIDER, "an area id is not a number");
  return id;
}

function tidyAddress(address: PickupAddress): PickupAddress {
  const { zipcode, ...rest } = address;
  return {
    ...rest,
    name: address.name.trim().slice(0, 50),
    phone: localPhone(address.phone),
    address: address.address.trim(),
    // Optional there: a postal code that a buyer mistyped must not stop the parcel.
    ...(zipcode && /^\d{5}$/.test(zipcode) ? { zipcode } : {}),
  };
}

/** `+62 812-…` and `812…` as `0812…`: the shortest of the accepted forms, so that long numbers fit in 13 digits. */
function localPhone(phone: string): string {
  const digits = phone.replace(/\D/g, "");
  if (digits.startsWith("62")) return `0${digits.slice(2)}`;
  return digits.startsWith("8") ? `0${digits}` : digits;
}
