import { request } from "../http.ts";
import { rupiah, type Tell } from "../narrator.ts";
import { type Goods, type Person, type Store, signIn } from "./seller.ts";

export interface Rate {
  id: string;
  price: number;
  courier_name: string;
  courier_service_name: string;
  area_id: string;
}
export interface Placed {
  order_id: string;
  payment_url: string;
  qr_code: string;
}

const PASSWORD = "pembeli-rahasia-1";

export async function makeBuyer(tell: Tell): Promise<Person> {
  const email = `pembeli-${crypto.randomUUID().slice(0, 12)}@contoh.example`;
  await request(tell.app, "/api/auth/register", {
    method: "POST",
    json: { email, password: PASSWORD, full_name: "Pembeli Setia", role: "buyer" },
  });
  tell.step("Buyer registered and signed in", email);
  return { email, token: await signIn(tell, email, PASSWORD) };
}

export async function findRate(
  tell: Tell,
  buyer: Person,
  store: Store,
  goods: Goods,
): Promise<Rate> {
  await request(tell.app, "/api/buyer/cart", {
    method: "POST",
    token: buyer.token,
    json: { product_id: goods.id, quantity: 2 },
  });
  tell.step("Two in the cart", rupiah(goods.price * 2));
  const [area] = await request<{ area_id: string; name: string }[]>(
    tell.app,
    "/api/buyer/areas?input=tebet",
  );
  if (!area) throw new Error("the courier twin knows no district Tebet");
  const rates = await request<Rate[]>(
    tell.app,
    `/api/buyer/shipping?store_id=${store.id}&destination_area_id=${area.area_id}`,
    { token: buyer.token },
  );
  const [cheapest] = rates;
  if (!cheapest) throw new Error("no courier goes there");
  tell.step(
    `${rates.length} shipping rates to ${area.name}`,
    `${cheapest.courier_name} ${cheapest.courier_service_name}: ${rupiah(cheapest.price)}`,
  );
  return { ...cheapest, area_id: area.area_id };
}

export async function buy(
  tell: Tell,
  buyer: Person,
  { store, goods, rate }: { store: Store; goods: Goods; rate: Rate },
): Promise<Placed> {
  const placed = await request<Placed>(tell.app, "/api/buyer/orders", {
    method: "POST",
    token: buyer.token,
    headers: { "idempotency-key": crypto.randomUUID() },
    json: {
      store_id: store.id,
      items: [{ product_id: goods.id, quantity: 2 }],
      promo_code: goods.promo,
      courier: rate.id,
      shipping_address: {
        name: "Pembeli Setia",
        phone: "081298765432",
        street: "Jl. Tebet Raya No. 5, RT 02 RW 03",
        city: "Jakarta Selatan",
        province: "DKI Jakarta",
        postal_code: "12810",
        area_id: rate.area_id,
      },
    },
  });
  if (!placed.qr_code || !placed.payment_url) throw new Error("the order has no QR code or link");
  tell.step("Ordered; QRIS code and payment link are there", `${placed.qr_code.slice(0, 60)}…`);
  tell.step("Payment link", placed.payment_url);
  return placed;
}
