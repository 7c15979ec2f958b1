import { LinkIcon, PinIcon, SearchIcon, Wheat } from "../components/icons.tsx";
import { Layout, type Site } from "../components/layout.tsx";
import { Empty } from "../components/notice.tsx";
import { Pager } from "../components/pager.tsx";
import { Logo } from "../components/picture.tsx";
import { ProductGrid } from "../components/product-card.tsx";
import { excerpt, webUrl } from "../format.ts";
import type { HomeView } from "../router.ts";
import type { ShelfQuery } from "../shelf.ts";
import type { CategoryCount } from "../snapshot.ts";

interface HomeProps {
  site: Site;
  view: HomeView;
  query: ShelfQuery;
}

/** The store's front: who it is, what it sells. */
export const HomePage = ({ site, view, query }: HomeProps) => {
  const { store } = site;
  const plain = query.search === "" && query.category === null;
  const category = view.categories.find(({ slug }) => slug === query.category);
  const canonical = query.search === "" ? addressOf({ ...query, page: view.page }) : undefined;
  return (
    <Layout
      site={site}
      head={{
        title: titleOf(site, query, view.page, category),
        description: excerpt(
          store.description ??
            `Belanja langsung di ${store.name}${store.city ? `, ${store.city}` : ""}.`,
          160,
        ),
        ...(canonical === undefined ? {} : { canonical }),
        image: firstUrl(store.banner_url, store.logo_url, view.products[0]?.image),
        data: plain && view.page === 1 ? [storeData(site)] : [],
      }}
    >
      {plain && view.page === 1 ? <Intro site={site} /> : <SmallIntro name={store.name} />}
      <div class="wide">
        <SearchForm query={query} />
        <Categories view={view} query={query} />
        <Found view={view} query={query} category={category} />
      </div>
    </Layout>
  );
};

const SmallIntro = ({ name }: { name: string }) => (
  <div class="wide">
    <h1 class="heading">{name}</h1>
  </div>
);

const Intro = ({ site: { store } }: { site: Site }) => {
  const banner = webUrl(store.banner_url);
  const maps = webUrl(store.google_maps_url);
  const place = [store.city, store.province].filter(Boolean).join(", ");
  return (
    <div class="wide">
      <div class="banner">
        {banner ? (
          <img
            src={banner}
            alt=""
            width={1200}
            height={480}
            fetchpriority="high"
            decoding="async"
          />
        ) : (
          <>
            <Wheat />
            <Wheat />
            <Wheat />
          </>
        )}
      </div>
      <div class="intro">
        <Logo store={store} size={88} />
        <div>
          <h1>{store.name}</h1>
          <div class="facts">
            {place ? (
              <span>
                <PinIcon />
                {place}
              </span>
            ) : null}
            {store.instagram_handle ? (
              <a href={`https://www.instagram.com/${store.instagram_handle}/`} rel="noreferrer">
                @{store.instagram_handle}
              </a>
            ) : null}
            {maps ? (
              <a href={maps} rel="noreferrer">
                <LinkIcon />
                Peta
              </a>
            ) : null}
          </div>
        </div>
        {store.description ? <p class="about">{store.description}</p> : null}
      </div>
    </div>
  );
};

const SearchForm = ({ query }: { query: ShelfQuery }) => (
  <search>
    <form class="find" action="/" method="get">
      <label class="hidden-words" for="q">
        Cari produk di toko ini
      </label>
      <input
        type="search"
        id="q"
        name="q"
        value={query.search}
        placeholder="Cari produk…"
        maxlength={100}
      />
      {query.category ? <input type="hidden" name="kategori" value={query.category} /> : null}
      <button class="button" type="submit">
        <SearchIcon />
        <span class="hidden-words">Cari</span>
      </button>
    </form>
  </search>
);

const Categories = ({ view, query }: { view: HomeView; query: ShelfQuery }) => {
  if (view.categories.length < 2 && query.category === null) return null;
  // On a phone the row scrolls; the chosen one must be in sight.
  const chosenFirst = view.categories.toSorted(
    (a, b) => Number(b.slug === query.category) - Number(a.slug === query.category),
  );
  const chip = (slug: string | null, label: string, count?: number) => (
    <a
      href={addressOf({ search: query.search, category: slug, page: 1 })}
      {...(query.category === slug ? { "aria-current": "true" as const } : {})}
    >
      {label} {count === undefined ? null : <small>{count}</small>}
    </a>
  );
  return (
    <nav class="chips" aria-label="Kategori">
      {chip(null, "Semua")}
      {chosenFirst.map(({ slug, name, count }) => chip(slug, name, count))}
    </nav>
  );
};

const Found = (props: {
  view: HomeView;
  query: ShelfQuery;
  category: CategoryCount | undefined;
}) => {
  const { view, query, category } = props;
  const filtered = query.search !== "" || query.category !== null;
  if (view.total === 0) {
    return filtered ? (
      <Empty title="Belum ketemu" href="/" action="Lihat semua produk">
        Tidak ada produk yang cocok
        {query.search ? ` dengan “${query.search}”` : ""}. Coba kata lain.
      </Empty>
    ) : (
      <Empty title="Etalase masih kosong">
        Toko ini sedang menyiapkan produknya. Mampir lagi nanti, ya.
      </Empty>
    );
  }
  return (
    <section aria-label="Produk">
      <p class="count" role="status">
        {view.total} produk
        {category ? ` di ${category.name}` : ""}
        {query.search ? ` untuk “${query.search}”` : ""}
        {view.more && !filtered ? " terbaru" : ""}
      </p>
      <ProductGrid cards={view.products} label="Daftar produk" />
      <Pager page={view.page} pages={view.pages} href={(page) => addressOf({ ...query, page })} />
    </section>
  );
};

const firstUrl = (...urls: (string | null | undefined)[]): string | null =>
  urls.map(webUrl).find((url) => url !== null) ?? null;

/** The address of a page of the shelf; the plain first page is `/`. */
export function addressOf({ search, category, page }: ShelfQuery): string {
  const parameters = new URLSearchParams();
  if (search) parameters.set("q", search);
  if (category) parameters.set("kategori", category);
  if (page > 1) parameters.set("halaman", String(page));
  const text = parameters.toString();
  return text ? `/?${text}` : "/";
}

function titleOf(site: Site, query: ShelfQuery, page: number, category?: CategoryCount): string {
  const { name, city } = site.store;
  const parts = [
    query.search ? `Cari “${excerpt(query.search, 40)}”` : null,
    category?.name,
    page > 1 ? `Halaman ${page}` : null,
    name,
  ].filter(Boolean);
  return parts.length > 1
    ? parts.join(" · ")
    : `${name} | Belanja online${city ? ` dari ${city}` : ""}`;
}

function storeData(site: Site): object {
  const { store } = site;
  return {
    "@context": "https://schema.org",
    "@type": "Store",
    name: store.name,
    url: site.url("/"),
    ...(store.description ? { description: excerpt(store.description, 500) } : {}),
    ...(webUrl(store.logo_url) ? { logo: store.logo_url } : {}),
    ...(webUrl(store.banner_url ?? store.logo_url)
      ? { image: store.banner_url ?? store.logo_url }
      : {}),
    ...(store.city
      ? {
          address: {
            "@type": "PostalAddress",
            addressLocality: store.city,
            ...(store.province ? { addressRegion: store.province } : {}),
            addressCountry: "ID",
          },
        }
      : {}),
    ...(store.google_maps_url ? { hasMap: store.google_maps_url } : {}),
    ...(store.instagram_handle
      ? { sameAs: [`https://www.instagram.com/${store.instagram_handle}/`] }
      : {}),
    currenciesAccepted: "IDR",
    paymentAccepted: "QRIS",
  };
}
