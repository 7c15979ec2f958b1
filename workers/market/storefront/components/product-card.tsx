import { rupiah } from "../format.ts";
import type { ProductCard as Card } from "../snapshot.ts";
import { ProductPicture } from "./picture.tsx";

/** As many as are counted on pages: each sale of these makes a new version of the store (market_stock_shown). */
export const FEW = 5;

export const ProductCard = ({ card, eager = false }: { card: Card; eager?: boolean }) => (
  <li class={card.stock > 0 ? "card" : "card card-gone"}>
    <a href={`/produk/${card.id}`}>
      <ProductPicture url={card.image} name="" size={360} eager={eager} />
      {card.stock <= 0 ? (
        <span class="badge badge-gone">Habis</span>
      ) : card.stock <= FEW ? (
        <span class="badge">Sisa {card.stock}</span>
      ) : null}
      <span class="card-name">{card.name}</span>
      <span class="card-price">{rupiah(card.price)}</span>
    </a>
  </li>
);

export const ProductGrid = ({ cards, label }: { cards: Card[]; label: string }) => (
  <ul class="grid" aria-label={label}>
    {cards.map((card, index) => (
      <ProductCard card={card} eager={index < 4} />
    ))}
  </ul>
);
