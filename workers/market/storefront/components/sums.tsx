import { rupiah } from "../format.ts";
import { ProductPicture } from "./picture.tsx";

export interface SumLine {
  name: string;
  image_url: string | null;
  quantity: number;
  subtotal: number;
}

/** The lines of an order, small. */
export const SmallLines = ({ lines }: { lines: SumLine[] }) => (
  <ul class="mini">
    {lines.map((line) => (
      <li>
        <ProductPicture url={line.image_url} name="" size={52} />
        <span>
          {line.name} <span class="muted">×{line.quantity}</span>
        </span>
        <span class="amount">{rupiah(line.subtotal)}</span>
      </li>
    ))}
  </ul>
);

/** What an order costs. Shipping is null while no courier is chosen. */
export const Sums = (props: {
  subtotal: number;
  discount: number;
  promo?: string | undefined;
  shipping: number | null;
}) => {
  const { subtotal, discount, shipping } = props;
  return (
    <dl class="sums">
      <dt>Subtotal</dt>
      <dd>{rupiah(subtotal)}</dd>
      {discount > 0 ? (
        <>
          <dt>Promo {props.promo}</dt>
          <dd class="less">−{rupiah(discount)}</dd>
        </>
      ) : null}
      <dt>Ongkos kirim</dt>
      <dd data-shipping>{shipping === null ? "pilih kurir" : rupiah(shipping)}</dd>
      <dt class="total">Total</dt>
      <dd class="total" data-total aria-live="polite">
        {rupiah(subtotal - discount + (shipping ?? 0))}
      </dd>
    </dl>
  );
};
