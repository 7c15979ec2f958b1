import type { Rate } from "../../schemas/orders.ts";
import type { Basis } from "../checkout.ts";
import type { CheckoutForm } from "../checkout-form.ts";
import { SmallLines, Sums } from "./sums.tsx";

interface SummaryProps {
  form: CheckoutForm;
  basis: Basis;
  chosen: Rate | null;
  error: string | undefined;
}

/** What is bought and what it costs, with the button that pays. */
export const SummaryPart = ({ form, basis, chosen, error }: SummaryProps) => (
  <aside class="panel side" aria-labelledby="bayar">
    <h2 id="bayar">Ringkasan</h2>
    <SmallLines
      lines={basis.lines.map((line) => ({ ...line, subtotal: line.price * line.quantity }))}
    />
    <Promo typed={form.promo} problem={basis.promo.refusal ?? error} />
    <Sums
      subtotal={basis.subtotal}
      discount={basis.promo.discount}
      promo={form.promo.toUpperCase()}
      shipping={chosen?.price ?? null}
    />
    {chosen ? (
      <button class="link" type="submit" name="aksi" value="total" formnovalidate data-no-script>
        Perbarui total
      </button>
    ) : null}
    {chosen ? (
      <button
        class="button button-block"
        type="submit"
        name="aksi"
        value="bayar"
        formaction="/checkout"
      >
        Bayar
      </button>
    ) : (
      <button class="button button-block" type="submit" name="aksi" value="ongkir" formnovalidate>
        Pilih pengiriman
      </button>
    )}
    <p class="hint">Pembayaran dengan QRIS atau transfer di langkah berikutnya.</p>
  </aside>
);

const Promo = ({ typed, problem }: { typed: string; problem: string | undefined }) => {
  const marks = problem
    ? { "aria-invalid": "true" as const, "aria-describedby": "promo-kata" }
    : {};
  return (
    <div class="field promo">
      <label for="promo">Kode promo</label>
      <div class="with-button">
        <input
          type="text"
          id="promo"
          name="promo"
          value={typed}
          maxlength={20}
          autocomplete="off"
          autocapitalize="characters"
          {...marks}
        />
        <button class="button button-quiet" type="submit" name="aksi" value="promo" formnovalidate>
          Pakai
        </button>
      </div>
      {problem ? (
        <p class="wrong" id="promo-kata" role="alert">
          {problem}
        </p>
      ) : null}
    </div>
  );
};
