import type { HtmlEscapedString } from "hono/utils/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { AppError } from "../../../shared/http/errors.ts";
import type { Site } from "./components/layout.tsx";
import { BarePage } from "./pages/no-store.tsx";
import { ProblemPage } from "./pages/problem.tsx";
import { pageHeaders } from "./policy.ts";
import type { NoStore } from "./router.ts";
import type { StoreFacts } from "./snapshot.ts";
import { storeUrl } from "./urls.ts";
import type { Visit } from "./visit.ts";

type Page = HtmlEscapedString | Promise<HtmlEscapedString>;

export interface PageOptions {
  status?: number;
  /** The same for every visitor: may be kept, but is asked about each time. Else it is kept nowhere. */
  shared?: boolean;
  /** One more address that the page shows a picture of. */
  picture?: string | null;
}

/** Answers with a page under its security headers. */
export async function respond(c: Visit, page: Page, options: PageOptions = {}): Promise<Response> {
  const headers = await pageHeaders(c.var.ctx.config, options.picture);
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  c.header(
    "cache-control",
    options.shared ? "public, max-age=0, must-revalidate" : "private, no-store",
  );
  const html = `<!doctype html>${await page}`;
  if (options.shared) {
    const tag = await weakTag(html);
    c.header("etag", tag);
    if (c.req.header("if-none-match")?.includes(tag)) return c.body(null, 304);
  }
  return c.html(html, (options.status ?? 200) as ContentfulStatusCode);
}

/** Names a page by its text, so that a visitor who has it already gets no second copy. */
async function weakTag(html: string): Promise<string> {
  return `W/"${(await sha256Hex(html)).slice(0, 32)}"`;
}

/** The store as its pages name it. */
export function siteOf(c: Visit, store: StoreFacts): Site {
  return {
    store,
    url: (path) => storeUrl(c.var.ctx.config, store.slug, path),
    path: c.req.path,
  };
}

/** What a host without a store to show answers. */
export async function elsewhere(c: Visit, found: NoStore): Promise<Response> {
  const { config } = c.var.ctx;
  switch (found.kind) {
    case "moved": {
      const { pathname, search } = new URL(c.req.url);
      // For good, but a seller may take the old name back: so browsers ask again after a minute.
      c.header("cache-control", "public, max-age=60");
      const status = c.req.method === "GET" || c.req.method === "HEAD" ? 301 : 308;
      return c.redirect(storeUrl(config, found.slug, pathname + search), status);
    }
    case "closed":
      return await respond(
        c,
        <BarePage title="Toko sedang tutup">
          Toko di alamat ini sedang tidak melayani pembeli. Coba kunjungi lagi lain waktu.
        </BarePage>,
        { status: 404 },
      );
    case "unknown":
      return await respond(
        c,
        <BarePage title="Toko tidak ditemukan">
          Tidak ada toko di alamat ini. Periksa lagi ejaan alamatnya, ya.
        </BarePage>,
        { status: 404 },
      );
    case "unavailable":
      c.header("retry-after", "10");
      return await respond(
        c,
        <BarePage title="Sebentar, ya" href="" action="Coba lagi">
          Toko ini sedang tidak dapat dibuka. Silakan coba lagi sebentar lagi.
        </BarePage>,
        { status: 503 },
      );
    default:
      return found satisfies never;
  }
}

/** Nothing is at this path of the store. */
export async function notHere(c: Visit, store: StoreFacts, words: string): Promise<Response> {
  const page = <ProblemPage site={siteOf(c, store)} title="Tidak ditemukan" words={words} />;
  return await respond(c, page, { status: 404 });
}

const FIXED_WORDS = "Ada yang tidak beres di pihak kami. Silakan coba lagi sebentar lagi.";

/** A failure that no page shows in place. An unknown one is told in fixed words. */
export async function failed(c: Visit, error: AppError): Promise<Response> {
  if (error.status === 429) c.header("retry-after", String(error.meta.retry_after ?? 60));
  const known = error.code !== "internal";
  const page = (
    <BarePage title={known ? "Belum bisa" : "Maaf"} href="/" action="Ke halaman toko">
      {(known && error.message) || FIXED_WORDS}
    </BarePage>
  );
  return await respond(c, page, { status: error.status });
}

/** The words of a failure that its page shows in place; anything else is thrown on. */
export function shownInPlace(error: unknown): AppError {
  const elsewhereCodes = ["internal", "bad_token", "unauthenticated", "rate_limited"];
  if (error instanceof AppError && !elsewhereCodes.includes(error.code)) return error;
  throw error;
}
