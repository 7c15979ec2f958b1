import type { Rate } from "../../schemas/orders.ts";
import type { Basis } from "../checkout.ts";
import type { CheckoutForm, ChosenArea } from "../checkout-form.ts";
import { AddressPart } from "../components/checkout-address.tsx";
import { CourierPart } from "../components/checkout-courier.tsx";
import { SummaryPart } from "../components/checkout-summary.tsx";
import { Layout, type Site } from "../components/layout.tsx";
import { Notice } from "../components/notice.tsx";

export interface CheckoutProps {
  site: Site;
  form: CheckoutForm;
  basis: Basis;
  /** Districts that a search found; null when none was made. */
  areas: ChosenArea[] | null;
  rates: Rate[] | null;
  problem?: string | undefined;
  errors: Record<string, string>;
}

/** Address, courier and payment on one page. Without scripts its buttons are its steps. */
export const CheckoutPage = (props: CheckoutProps) => {
  const { site, form, basis, rates, problem, errors } = props;
  const chosen = rates?.find((rate) => rate.id === form.courier) ?? null;
  return (
    <Layout site={site} head={{ title: `Checkout | ${site.store.name}` }}>
      <div class="wide">
        <div class="heading">
          <h1>Checkout</h1>
        </div>
        {problem ? <Notice kind="problem">{problem}</Notice> : null}
        {basis.left_out > 0 ? (
          <Notice kind="plain">
            {basis.left_out} produk di keranjang tidak dapat dipesan sekarang dan tidak ikut.{" "}
            <a href="/keranjang">Lihat keranjang</a>
          </Notice>
        ) : null}
        <form
          class="columns"
          action="/checkout#lanjut"
          method="post"
          data-checkout
          data-goods={String(basis.subtotal - basis.promo.discount)}
        >
          <HiddenState form={form} basis={basis} rates={rates} />
          <div>
            <AddressPart form={form} areas={props.areas} errors={errors} />
            <CourierPart
              rates={rates}
              chosen={chosen}
              hasArea={form.area !== null}
              error={errors.courier}
            />
          </div>
          <SummaryPart form={form} basis={basis} chosen={chosen} error={errors.promo} />
        </form>
      </div>
    </Layout>
  );
};

/** What the page shows, so that the order is what the buyer saw and a second click is the same order. */
const HiddenState = (props: Pick<CheckoutProps, "form" | "basis" | "rates">) => (
  <>
    {/* Enter in a field means the next step, whatever button stands first. */}
    <button
      class="hidden-words"
      type="submit"
      name="aksi"
      value="lanjut"
      tabindex={-1}
      formnovalidate
    >
      Lanjut
    </button>
    <input type="hidden" name="key" value={props.form.key} />
    <input type="hidden" name="subtotal" value={String(props.basis.subtotal)} />
    <input type="hidden" name="discount" value={String(props.basis.promo.discount)} />
    <input
      type="hidden"
      name="promo_used"
      value={props.basis.promo.refusal ? "" : props.form.promo}
    />
    {props.basis.lines.map((line) => (
      <input type="hidden" name="items" value={`${line.product_id}:${line.quantity}`} />
    ))}
    {(props.rates ?? []).map((rate) => (
      <input type="hidden" name="rates" value={rate.id} />
    ))}
  </>
);
