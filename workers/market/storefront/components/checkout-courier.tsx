import type { Rate } from "../../schemas/orders.ts";
import { courierWords, rupiah } from "../format.ts";

interface CourierProps {
  rates: Rate[] | null;
  chosen: Rate | null;
  hasArea: boolean;
  error: string | undefined;
}

/** Which courier brings it. */
export const CourierPart = ({ rates, chosen, error, hasArea }: CourierProps) => (
  <section class="panel part" aria-labelledby="kirim" id="lanjut">
    <h2 id="kirim">
      <b>2</b> Pengiriman
    </h2>
    {error ? (
      <p class="wrong" role="alert">
        {error}
      </p>
    ) : null}
    {rates ? (
      <fieldset class="choices">
        <legend class="hidden-words">Kurir</legend>
        <RateChoices rates={rates} chosen={chosen} />
      </fieldset>
    ) : (
      <p class="muted">Pilih kecamatan tujuan, lalu lihat pilihan kurir dan ongkosnya.</p>
    )}
    <button
      class={rates ? "link" : "button button-quiet button-block ask"}
      type="submit"
      name="aksi"
      value="ongkir"
      formnovalidate
    >
      {rates && hasArea ? "Hitung ulang ongkos kirim" : "Lihat ongkos kirim"}
    </button>
  </section>
);

const RATES_IN_SIGHT = 5;

/** The cheapest few, and the others behind a fold. */
const RateChoices = ({ rates, chosen }: { rates: Rate[]; chosen: Rate | null }) => {
  const others = rates.slice(RATES_IN_SIGHT);
  const choice = (rate: Rate) => (
    <label class="choice">
      <input
        type="radio"
        name="courier"
        value={rate.id}
        data-price={String(rate.price)}
        checked={rate.id === chosen?.id}
      />
      <span>
        {courierWords(rate.courier_name, rate.courier_service_name)}
        <small>Perkiraan tiba {rate.duration} hari</small>
      </span>
      <span class="amount">{rupiah(rate.price)}</span>
    </label>
  );
  return (
    <>
      {rates.slice(0, RATES_IN_SIGHT).map(choice)}
      {others.length > 0 ? (
        <details class="choices-more" open={others.some(({ id }) => id === chosen?.id)}>
          <summary>{others.length} pilihan kurir lain</summary>
          {others.map(choice)}
        </details>
      ) : null}
    </>
  );
};
