import { z } from "zod";
import { CheckoutInput } from "../schemas/orders.ts";
import type { Basis } from "./checkout.ts";

const MAX_RATES = 40;

const word = (max: number) =>
  z
    .string()
    .catch("")
    .transform((value) => value.trim().slice(0, max));

const count = z.coerce.number().int().nonnegative().catch(0);
const many = z.array(z.string()).catch([]);

/** A district as it travels through the form: its id and its words. */
export interface ChosenArea {
  id: string;
  name: string;
}

const area = word(300).transform((value): ChosenArea | null => {
  const [id = "", ...name] = value.split("|");
  return id === "" ? null : { id, name: name.join("|") };
});

/** Whatever a browser sends becomes a form that can be shown again as it was typed. */
const FormFields = z.object({
  aksi: z.enum(["lanjut", "cari", "ongkir", "promo", "total", "bayar"]).catch("lanjut"),
  name: word(100),
  phone: word(40),
  street: word(300),
  wilayah: word(60),
  area,
  rates: many.transform((ids) => ids.slice(0, MAX_RATES)),
  courier: word(2000),
  promo: word(20),
  promo_used: word(20),
  subtotal: count,
  discount: count,
  items: many.transform((items) => items.slice(0, 50)),
  key: z.uuid().catch(() => crypto.randomUUID()),
});
export type CheckoutForm = z.output<typeof FormFields>;

export function readForm(data: FormData): CheckoutForm {
  const strings = (name: string) => data.getAll(name).filter((value) => typeof value === "string");
  const single = [...new Set(data.keys())].map((name) => [name, strings(name)[0]]);
  return FormFields.parse({
    ...Object.fromEntries(single),
    rates: strings("rates"),
    items: strings("items"),
  });
}

/** The form at first sight: who the buyer is and where the last order went. */
export function firstForm({ address, person }: Basis): CheckoutForm {
  const place = [address?.city, address?.province, address?.postal_code].filter(Boolean).join(", ");
  return FormFields.parse({
    name: address?.name ?? person.name,
    phone: address?.phone ?? person.phone ?? "",
    street: address?.street ?? "",
    area: address?.area_id ? `${address.area_id}|${place}` : "",
  });
}

/** "Kecamatan, Kota, Provinsi, 66137": the parts of a district's words that a parcel's label names. */
function placeOf(words: string) {
  const postal_code = /\b\d{5}\b/.exec(words)?.[0];
  const parts = words
    .replace(/\b\d{5}\b/, "")
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
  const province = parts.length > 1 ? parts.at(-1) : undefined;
  const city = (province ? parts.slice(0, -1) : parts).join(", ").slice(0, 60);
  return {
    ...(city ? { city } : {}),
    ...(province ? { province: province.slice(0, 60) } : {}),
    ...(postal_code ? { postal_code } : {}),
  };
}

/** Fields of the page, by where the order's schema finds something wrong with them. */
const FIELD_OF: Record<string, string> = {
  "shipping_address.name": "name",
  "shipping_address.phone": "phone",
  "shipping_address.street": "street",
  "shipping_address.area_id": "wilayah",
  courier: "courier",
  promo_code: "promo",
};

const WORDS: Record<string, string> = {
  name: "Tulis nama penerima, paling panjang 50 huruf",
  street: "Tulis alamat lengkap, minimal 10 huruf",
  wilayah: "Pilih kecamatan tujuan",
  courier: "Pilih kurir",
};

export type ReadOrder =
  | { kind: "order"; order: CheckoutInput }
  | { kind: "wrong"; errors: Record<string, string> };

/** The order that the form describes, or what is still missing in it. */
export function orderOf(form: CheckoutForm, storeId: string): ReadOrder {
  const parsed = CheckoutInput.safeParse({
    store_id: storeId,
    items: form.items.map((item) => {
      const [product_id, quantity] = item.split(":");
      return { product_id, quantity: Number(quantity) };
    }),
    ...(form.promo ? { promo_code: form.promo } : {}),
    shipping_address: {
      name: form.name,
      phone: form.phone,
      street: form.street,
      area_id: form.area?.id ?? "",
      ...placeOf(form.area?.name ?? ""),
    },
    courier: form.courier,
  });
  if (parsed.success) return { kind: "order", order: parsed.data };
  const errors: Record<string, string> = {};
  for (const issue of parsed.error.issues) {
    const field = FIELD_OF[issue.path.join(".")] ?? "form";
    errors[field] ??= WORDS[field] ?? issue.message;
  }
  return { kind: "wrong", errors };
}
