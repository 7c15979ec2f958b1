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
export const PaymentPart = ({ form, basis, errors, chosen }: CheckoutProps & { chosen: Rate | null }) => (
  <aside class="panel side" aria-labelledby="bayar">
    <h2 id="bayar">Ringkasan</h2>
    <SmallLines
      lines={basis.lines.map((line) => ({ ...line, subtotal: line.price * line.quantity }))}
    />
    <div class="field promo">
      <label for="promo">Kode promo</label>
      <div class="with-button">
        <input
          type="text"
          id="promo"
          name="promo"
          value={form.promo}
          maxlength={20}
          autocomplete="off"
          autocapitalize="characters"
          {...(basis.promo.refusal
            ? { "aria-invalid": "true" as const, "aria-describedby": "promo-kata" }
            : {})}
        />
        <button class="button button-quiet" type="submit" name="aksi" value="promo" formnovalidate>
          Pakai
        </button>
      </div>
      {basis.promo.refusal || errors.promo ? (
        <p class="wrong" id="promo-kata" role="alert">
          {basis.promo.refusal ?? errors.promo}
        </p>
      ) : null}
    </div>
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
