import { CheckIcon } from "../components/icons.tsx";
import { Layout, type Site } from "../components/layout.tsx";
import { Notice } from "../components/notice.tsx";
import { ProductPicture } from "../components/picture.tsx";
import { FEW, ProductGrid } from "../components/product-card.tsx";
import { excerpt, rupiah, webUrl, weight } from "../format.ts";
import type { ProductCard, ShopProduct } from "../snapshot.ts";

interface ProductProps {
  site: Site;
  product: ShopProduct;
  neighbours: ProductCard[];
  /** Why it could not be put into the cart, and the quantity that was asked for. */
  problem?: { words: string; quantity: number };
}

/** Of a product with more than a few left, whose number the page does not know: the cart says what there is. */
const MAX_QUANTITY = 999;

export const ProductPage = ({ site, product, neighbours, problem }: ProductProps) => (
  <Layout
    site={site}
    head={{
      title: `${product.name} | ${site.store.name}`,
      description: describe(product, site.store.name),
      canonical: `/produk/${product.id}`,
      image: webUrl(product.images[0]) ?? webUrl(site.store.logo_url),
      kind: "product",
      data: [productData(site, product), pathData(site, product)],
    }}
  >
    <div class="wide">
      <nav class="crumbs" aria-label="Anda di sini">
        <a href="/">Semua produk</a>
        {product.category ? (
          <>
            {" › "}
            <a href={`/?kategori=${encodeURIComponent(product.category.slug)}`}>
              {product.category.name}
            </a>
          </>
        ) : null}
      </nav>
      {problem ? <Notice kind="problem">{problem.words}</Notice> : null}
      <article class="product">
        <Gallery product={product} />
        <div class="buy-side">
          <h1>{product.name}</h1>
          <p class="price">{rupiah(product.price)}</p>
          <Stock stock={product.stock} />
          <BuyForm product={product} quantity={problem?.quantity ?? 1} />
          {product.description ? <p class="describe">{product.description}</p> : null}
          <Specs site={site} product={product} />
        </div>
      </article>
      {neighbours.length > 0 ? (
        <section class="more" aria-labelledby="lain">
          <h2 id="lain">Produk lain di toko ini</h2>
          <ProductGrid cards={neighbours.slice(0, 4)} label="Produk lain" />
        </section>
      ) : null}
    </div>
  </Layout>
);

const Gallery = ({ product }: { product: ShopProduct }) => {
  const images = product.images.length > 0 ? product.images : [null];
  return (
    <div class="gallery">
      <ul class="slides" tabindex={images.length > 1 ? 0 : -1} aria-label="Foto produk">
        {images.map((url, index) => (
          <li id={`foto-${index + 1}`}>
            <ProductPicture
              url={url}
              name={images.length > 1 ? `${product.name}, foto ${index + 1}` : product.name}
              size={800}
              eager={index === 0}
            />
          </li>
        ))}
      </ul>
      {images.length > 1 ? (
        <div class="thumbs">
          {images.map((url, index) => (
            <a href={`#foto-${index + 1}`} aria-label={`Foto ${index + 1}`}>
              <ProductPicture url={url} name="" size={64} />
            </a>
          ))}
        </div>
      ) : null}
    </div>
  );
};

const Stock = ({ stock }: { stock: number }) => {
  if (stock <= 0) return <p class="stock stock-gone">Stok habis</p>;
  if (stock <= FEW) return <p class="stock stock-few">Tinggal {stock} lagi</p>;
  return (
    <p class="stock">
      <CheckIcon /> Stok tersedia
    </p>
  );
};

const BuyForm = ({ product, quantity }: { product: ShopProduct; quantity: number }) => {
  if (product.stock <= 0) {
    return (
      <p class="buy">
        <button class="button button-block" type="button" disabled>
          Stok habis
        </button>
      </p>
    );
  }
  return (
    <form class="buy" action="/keranjang" method="post">
      <input type="hidden" name="product_id" value={product.id} />
      <label class="label" for="jumlah">
        Jumlah
      </label>
      <div class="steps">
        <button type="button" data-step="-1" data-script hidden aria-label="Kurangi jumlah">
          −
        </button>
        <input
          type="number"
          id="jumlah"
          name="quantity"
          value={String(quantity)}
          min={1}
          max={product.stock <= FEW ? product.stock : MAX_QUANTITY}
          required
          inputmode="numeric"
        />
        <button type="button" data-step="1" data-script hidden aria-label="Tambah jumlah">
          +
        </button>
      </div>
      <div class="buy-row">
        <button class="button button-quiet" type="submit" name="lalu" value="keranjang">
          + Keranjang
        </button>
        <button class="button" type="submit" name="lalu" value="checkout">
          Beli sekarang
        </button>
      </div>
    </form>
  );
};

const Specs = ({ site, product }: { site: Site; product: ShopProduct }) => {
  const from = [site.store.city, site.store.province].filter(Boolean).join(", ");
  return (
    <dl class="specs">
      {product.category ? (
        <>
          <dt>Kategori</dt>
          <dd>{product.category.name}</dd>
        </>
      ) : null}
      <dt>Berat</dt>
      <dd>{weight(product.weight_gram)}</dd>
      {from ? (
        <>
          <dt>Dikirim dari</dt>
          <dd>{from}</dd>
        </>
      ) : null}
    </dl>
  );
};

const describe = (product: ShopProduct, store: string): string =>
  excerpt(product.description ?? `${product.name}, ${rupiah(product.price)} di ${store}.`, 160);

function productData(site: Site, product: ShopProduct): object {
  return {
    "@context": "https://schema.org",
    "@type": "Product",
    name: product.name,
    sku: product.id,
    ...(product.description ? { description: excerpt(product.description, 500) } : {}),
    ...(product.images.length > 0 ? { image: product.images } : {}),
    ...(product.category ? { category: product.category.name } : {}),
    offers: {
      "@type": "Offer",
      url: site.url(`/produk/${product.id}`),
      price: String(product.price),
      priceCurrency: "IDR",
      availability: `https://schema.org/${product.stock > 0 ? "InStock" : "OutOfStock"}`,
      itemCondition: "https://schema.org/NewCondition",
      seller: { "@type": "Organization", name: site.store.name, url: site.url("/") },
    },
  };
}

function pathData(site: Site, product: ShopProduct): object {
  const steps = [
    { name: site.store.name, item: site.url("/") },
    ...(product.category
      ? [
          {
            name: product.category.name,
            item: site.url(`/?kategori=${encodeURIComponent(product.category.slug)}`),
          },
        ]
      : []),
    { name: product.name, item: site.url(`/produk/${product.id}`) },
  ];
  return {
    "@context": "https://schema.org",
    "@type": "BreadcrumbList",
    itemListElement: steps.map((step, index) => ({
      "@type": "ListItem",
      position: index + 1,
      ...step,
    })),
  };
}
