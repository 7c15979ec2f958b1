import type { Cart, CartItem } from "../../schemas/cart.ts";
import { Layout, type Site } from "../components/layout.tsx";
import { Empty, Notice } from "../components/notice.tsx";
import { ProductPicture } from "../components/picture.tsx";
import { rupiah } from "../format.ts";

interface CartProps {
  site: Site;
  cart: Cart;
  /** Addresses of other stores, by slug. */
  storeUrl(slug: string): string;
  problem?: string | undefined;
}

/** The cart of this store; what lies in it from other stores is only mentioned, because one order is one store. */
export const CartPage = ({ site, cart, storeUrl, problem }: CartProps) => {
  const here = cart.items.filter((item) => item.store_id === site.store.id);
  const others = cart.stores.filter((store) => store.id !== site.store.id);
  const orderable = here.filter((item) => item.available);
  return (
    <Layout site={site} head={{ title: `Keranjang | ${site.store.name}` }}>
      <div class="wide">
        <div class="heading">
          <h1>Keranjang</h1>
        </div>
        {problem ? <Notice kind="problem">{problem}</Notice> : null}
        {here.length === 0 ? (
          <Empty title="Keranjang masih kosong" href="/" action="Mulai belanja">
            Pilih produk yang Anda suka, lalu masukkan ke sini.
          </Empty>
        ) : (
          <div class="columns">
            <section class="panel" aria-label={`Produk dari ${site.store.name}`}>
              <ul class="lines">
                {here.map((item) => (
                  <Line item={item} />
                ))}
              </ul>
            </section>
            <Summary items={orderable} left={here.length - orderable.length} />
          </div>
        )}
        {others.length > 0 ? <OtherStores others={others} storeUrl={storeUrl} /> : null}
      </div>
    </Layout>
  );
};

const Line = ({ item }: { item: CartItem }) => (
  <li class={item.available ? "" : "line-off"} id={`p-${item.product_id}`}>
    <ProductPicture url={item.image_url} name="" size={84} />
    <div>
      <a class="name" href={`/produk/${item.product_id}`}>
        {item.name}
      </a>
      <p class="muted small">{rupiah(item.price)}</p>
      {item.message ? (
        <p class={item.available ? "flag flag-soft" : "flag"}>{item.message}</p>
      ) : null}
    </div>
    <div class="line-tools">
      <Quantity item={item} />
      <form action="/keranjang/ubah" method="post">
        <input type="hidden" name="product_id" value={item.product_id} />
        <button class="link" type="submit" name="ke" value="0" aria-label={`Hapus ${item.name}`}>
          Hapus
        </button>
      </form>
      <span class="amount">{rupiah(item.subtotal)}</span>
    </div>
  </li>
);

const Quantity = ({ item }: { item: CartItem }) => {
  const { product_id, quantity, stock, name } = item;
  return (
    <form action="/keranjang/ubah" method="post">
      <input type="hidden" name="product_id" value={product_id} />
      <div class="steps">
        <button
          type="submit"
          name="ke"
          value={String(Math.max(1, Math.min(quantity - 1, stock)))}
          disabled={quantity <= 1}
          aria-label={`Kurangi ${name}`}
        >
          −
        </button>
        <input
          type="number"
          name="quantity"
          value={String(quantity)}
          min={1}
          max={Math.max(1, Math.min(stock, 999))}
          inputmode="numeric"
          aria-label={`Jumlah ${name}`}
          data-save
        />
        <button
          type="submit"
          name="ke"
          value={String(quantity + 1)}
          disabled={quantity >= stock}
          aria-label={`Tambah ${name}`}
        >
          +
        </button>
      </div>
      <button class="link" type="submit" data-no-script>
        Ubah
      </button>
    </form>
  );
};

const Summary = ({ items, left }: { items: CartItem[]; left: number }) => {
  const pieces = items.reduce((sum, item) => sum + item.quantity, 0);
  const subtotal = items.reduce((sum, item) => sum + item.subtotal, 0);
  return (
    <aside class="panel side" aria-label="Ringkasan belanja">
      <h2>Ringkasan</h2>
      <dl class="sums">
        <dt>{pieces} barang</dt>
        <dd>{rupiah(subtotal)}</dd>
        <dt>Ongkos kirim</dt>
        <dd class="muted">dihitung nanti</dd>
        <dt class="total">Subtotal</dt>
        <dd class="total">{rupiah(subtotal)}</dd>
      </dl>
      {left > 0 ? (
        <p class="flag">{left} produk tidak dapat dipesan sekarang dan tidak ikut dihitung.</p>
      ) : null}
      {items.length > 0 ? (
        <a class="button button-block" href="/checkout">
          Lanjut ke pengiriman
        </a>
      ) : null}
      <a class="button button-quiet button-block" href="/">
        Belanja lagi
      </a>
    </aside>
  );
};

const OtherStores = (props: { others: Cart["stores"]; storeUrl(slug: string): string }) => (
  <section class="more" aria-labelledby="toko-lain">
    <h2 id="toko-lain">Tersimpan dari toko lain</h2>
    <p class="muted">Satu pesanan untuk satu toko. Produk ini tetap aman di keranjang tokonya.</p>
    <ul class="mini">
      {props.others.map((store) => (
        <li class="row store-row">
          <a href={`${props.storeUrl(store.slug)}keranjang`}>{store.name}</a>
          <span class="muted">{store.product_ids.length} produk</span>
        </li>
      ))}
    </ul>
  </section>
);
