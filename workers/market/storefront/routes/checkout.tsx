import { Hono } from "hono";
import { AppError } from "../../../../shared/http/errors.ts";
import { inTime } from "../../../../shared/time/in-time.ts";
import { placeOrder } from "../../orders/checkout.ts";
import type { Rate } from "../../schemas/orders.ts";
import { searchAreas } from "../../shipping/areas.ts";
import { listRates } from "../../shipping/rates.ts";
import { agreeOnPrice, type Basis, checkoutBasis, shownRates } from "../checkout.ts";
import {
  type CheckoutForm,
  type ChosenArea,
  firstForm,
  orderOf,
  readForm,
} from "../checkout-form.ts";
import { sentForm } from "../form.ts";
import { CheckoutPage } from "../pages/checkout.tsx";
import { respond, shownInPlace, siteOf } from "../respond.tsx";
import type { StoreFacts } from "../snapshot.ts";
import {
  actAsVisitor,
  limitAddress,
  mayAskCouriers,
  type StorefrontEnv,
  signedIn,
  storeOf,
  type Visit,
} from "../visit.ts";

export const checkoutRoutes = new Hono<StorefrontEnv>();

checkoutRoutes.use("/checkout", signedIn);

checkoutRoutes.get("/checkout", async (c) => {
  const store = await storeOf(c);
  const basis = await checkoutBasis(c.var.ctx, store.id, "");
  return await show(c, store, await firstSight(c, store, basis));
});

checkoutRoutes.post("/checkout", async (c) => {
  await limitAddress(c);
  const [store, form] = await Promise.all([storeOf(c), sentForm(c).then(readForm)]);
  if (form.aksi === "bayar") return await pay(c, store, form);
  return await step(c, store, form);
});

/** Districts while the buyer types: for the page's script. */
checkoutRoutes.get("/checkout/wilayah", signedIn, async (c) => {
  await limitAddress(c);
  const text = (c.req.query("q") ?? "").trim().slice(0, 60);
  const areas = text.length < 3 ? [] : await searchAreas(c.var.ctx, text);
  return c.json(areas.slice(0, MAX_AREAS), 200, { "cache-control": "private, max-age=300" });
});

const MAX_AREAS = 20;

interface Shown {
  form: CheckoutForm;
  basis: Basis;
  areas: ChosenArea[] | null;
  rates: Rate[] | null;
  problem?: AppError | undefined;
  errors?: Record<string, string>;
}

/** How long the first sight of the page waits for the couriers. */
const COURIERS_MS = 1_500;

/** Who has ordered before finds the couriers to his last district; where they are slow or away, he asks them himself. */
async function firstSight(c: Visit, store: StoreFacts, basis: Basis): Promise<Shown> {
  const shown: Shown = { form: firstForm(basis), basis, areas: null, rates: null };
  if (!shown.form.area || !(await mayAskCouriers(c))) return shown;
  try {
    return await inTime(COURIERS_MS, withRates(c, store, shown));
  } catch (error) {
    shownInPlace(error);
    return shown;
  }
}

/** Places the order that the page showed. Whatever refuses it is said on the same page, with all that was typed. */
async function pay(c: Visit, store: StoreFacts, form: CheckoutForm): Promise<Response> {
  const { ctx } = c.var;
  const read = orderOf(form, store.id);
  if (read.kind === "wrong") {
    const words = read.errors.form ?? "Periksa isian yang ditandai.";
    return await step(c, store, form, new AppError("invalid_input", words), read.errors);
  }
  if (form.promo !== form.promo_used) {
    const words = "Kode promo baru saja dihitung. Periksa totalnya, lalu bayar.";
    return await step(c, store, form, new AppError("changed", words));
  }
  try {
    const { subtotal, discount, key } = form;
    agreeOnPrice(ctx, read.order, { subtotal, discount, key });
    const placed = await placeOrder(ctx, read.order, key);
    return c.redirect(`/pesanan/${placed.order_id}`, 303);
  } catch (error) {
    // The refused order's own condition must not stand in the way of showing the page.
    await actAsVisitor(c, { fresh: true });
    return await step(c, store, ...afterRefusal(form, shownInPlace(error)));
  }
}

/** What the page must do anew so that paying again can succeed. */
function afterRefusal(form: CheckoutForm, error: AppError): [CheckoutForm, AppError] {
  if (error.code === "idempotency_mismatch") {
    const words =
      "Pesanan dari halaman ini sudah pernah dikirim dengan isian lain. Periksa Pesanan saya sebelum membayar lagi.";
    return [{ ...form, key: crypto.randomUUID() }, new AppError("conflict", words)];
  }
  if (error.code === "changed" || error.code === "invalid_input")
    return [{ ...form, rates: [] }, error];
  return [form, error];
}

/** Any step before the order: a search, the rates, a promo. Shows the page again with what it brought. */
async function step(
  c: Visit,
  store: StoreFacts,
  form: CheckoutForm,
  problem?: AppError,
  errors: Record<string, string> = {},
): Promise<Response> {
  const { ctx } = c.var;
  const basis = await checkoutBasis(ctx, store.id, form.promo);
  let shown: Shown = {
    form,
    basis,
    areas: null,
    rates: await shownRates(ctx, form.rates),
    problem,
    errors,
  };
  try {
    shown = await withDistrict(c, shown);
    shown = await withRates(c, store, shown);
  } catch (error) {
    shown = { ...shown, problem: problem ?? shownInPlace(error) };
  }
  return await show(c, store, shown);
}

/** Looks for a district where that is the step; the only one found is taken. */
async function withDistrict(c: Visit, shown: Shown): Promise<Shown> {
  const { form } = shown;
  if (form.aksi === "ongkir" && !form.area) {
    return { ...shown, errors: { wilayah: "Pilih kecamatan tujuan dulu" } };
  }
  if (form.aksi !== "cari" && (form.aksi !== "lanjut" || form.area)) return shown;
  const areas = await search(c, form);
  const [only, second] = areas;
  if (!only) return { ...shown, areas, errors: { wilayah: wordsFor(form.wilayah) } };
  if (second) return { ...shown, areas };
  return { ...shown, form: { ...form, area: only, aksi: "ongkir" } };
}

const wordsFor = (typed: string): string =>
  typed.length < 3 ? "Tulis paling sedikit 3 huruf" : `Kecamatan “${typed}” tidak ditemukan`;

async function search(c: Visit, { wilayah }: CheckoutForm): Promise<ChosenArea[]> {
  if (wilayah.length < 3) return [];
  const areas = await searchAreas(c.var.ctx, wilayah);
  return areas.slice(0, MAX_AREAS).map(({ area_id: id, name }) => ({ id, name }));
}

/** Asks the couriers where that is the step, or where the rates that were shown no longer hold. */
async function withRates(c: Visit, store: StoreFacts, shown: Shown): Promise<Shown> {
  const { form, basis } = shown;
  const asked = ["ongkir", "lanjut"].includes(form.aksi) || (form.aksi === "bayar" && !shown.rates);
  if (!asked || !form.area || basis.lines.length === 0) return shown;
  const rates = await listRates(c.var.ctx, {
    storeId: store.id,
    destinationAreaId: form.area.id,
    weightGram: basis.weight_gram,
    valueIdr: basis.subtotal,
  });
  if (rates.length > 0) return { ...shown, rates };
  throw new AppError("conflict", "Belum ada kurir yang melayani kecamatan ini.");
}

async function show(c: Visit, store: StoreFacts, shown: Shown): Promise<Response> {
  const { basis, rates, problem, errors = {} } = shown;
  if (basis.lines.length === 0) return c.redirect("/keranjang", 303);
  // The cheapest courier is chosen until the buyer chooses.
  const courier = rates?.find(({ id }) => id === shown.form.courier) ?? rates?.[0];
  const form = { ...shown.form, courier: courier?.id ?? "" };
  const page = (
    <CheckoutPage
      site={siteOf(c, store)}
      form={form}
      basis={basis}
      areas={shown.areas}
      rates={rates}
      problem={problem?.message}
      errors={errors}
    />
  );
  return await respond(c, page, { status: problem?.status ?? 200 });
}
