import type { Child } from "hono/jsx";
import { SCRIPT } from "../script.ts";
import type { StoreFacts } from "../snapshot.ts";
import { STYLE } from "../style.ts";
import { CartIcon, ReceiptIcon } from "./icons.tsx";
import { Logo } from "./picture.tsx";

/** The store whose pages these are, and how its paths become addresses. */
export interface Site {
  store: StoreFacts;
  url(path: string): string;
  /** The path that is shown, for the navigation. */
  path: string;
}

export interface Head {
  title: string;
  description?: string;
  /** Path of the one true address of this content; without it the page is not for search engines. */
  canonical?: string;
  image?: string | null;
  kind?: "website" | "product";
  /** Structured data (schema.org). */
  data?: object[];
  /** Without scripts the page reloads itself this often. */
  reloadSeconds?: number;
}

export const Layout = ({ site, head, children }: { site: Site; head: Head; children: Child }) => (
  <html lang="id">
    <PageHead site={site} head={head} />
    <body>
      <a class="skip" href="#isi">
        Langsung ke isi
      </a>
      <header class="top">
        <div class="wide top-row">
          <a class="brand" href="/">
            <Logo store={site.store} size={40} />
            <span>{site.store.name}</span>
          </a>
          <nav aria-label="Menu toko">
            <NavLink site={site} href="/pesanan" label="Pesanan">
              <ReceiptIcon />
            </NavLink>
            <NavLink site={site} href="/keranjang" label="Keranjang">
              <CartIcon />
            </NavLink>
          </nav>
        </div>
      </header>
      <main id="isi" tabindex={-1}>
        {children}
      </main>
      <footer class="foot">
        <div class="wide">
          <p>
            © {site.store.name}
            {site.store.city ? ` · ${site.store.city}` : ""}
          </p>
          <p>Pembayaran aman dengan QRIS. Toko ini berjalan di atas Lumbung.</p>
        </div>
      </footer>
      <script dangerouslySetInnerHTML={{ __html: SCRIPT }} />
    </body>
  </html>
);

const NavLink = (props: { site: Site; href: string; label: string; children: Child }) => (
  <a
    href={props.href}
    {...(props.site.path.startsWith(props.href) ? { "aria-current": "page" } : {})}
  >
    {props.children}
    <span>{props.label}</span>
  </a>
);

const PageHead = ({ site, head }: { site: Site; head: Head }) => {
  const description =
    head.description ?? site.store.description ?? `Belanja di ${site.store.name}.`;
  const address = site.url(head.canonical ?? site.path);
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
      <title>{head.title}</title>
      <meta name="description" content={description} />
      <meta name="theme-color" content="#faf5ea" media="(prefers-color-scheme: light)" />
      <meta name="theme-color" content="#1c1712" media="(prefers-color-scheme: dark)" />
      <meta name="color-scheme" content="light dark" />
      <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
      {head.canonical ? (
        <link rel="canonical" href={address} />
      ) : (
        <meta name="robots" content="noindex" />
      )}
      <meta property="og:site_name" content={site.store.name} />
      <meta property="og:locale" content="id_ID" />
      <meta property="og:type" content={head.kind ?? "website"} />
      <meta property="og:title" content={head.title} />
      <meta property="og:description" content={description} />
      <meta property="og:url" content={address} />
      {head.image ? <meta property="og:image" content={head.image} /> : null}
      <meta name="twitter:card" content={head.image ? "summary_large_image" : "summary"} />
      {head.reloadSeconds ? (
        <noscript>
          <meta http-equiv="refresh" content={String(head.reloadSeconds)} />
        </noscript>
      ) : null}
      <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      {(head.data ?? []).map((data) => (
        <script
          type="application/ld+json"
          dangerouslySetInnerHTML={{ __html: jsonForHtml(data) }}
        />
      ))}
    </head>
  );
};

/** JSON that cannot end its script element, whatever a product is named. */
const jsonForHtml = (data: object): string =>
  JSON.stringify(data).replace(/</g, "\\u003c").replace(/>/g, "\\u003e").replace(/&/g, "\\u0026");
