import type { Child } from "hono/jsx";
import { Layout, type Site } from "../components/layout.tsx";
import { Notice } from "../components/notice.tsx";
import { Journey, StatusBadge } from "../components/order-status.tsx";
import { QrCode } from "../components/qr.tsx";
import { SmallLines, Sums } from "../components/sums.tsx";
import { courierWords, dateTime, rupiah, webUrl } from "../format.ts";
import type { ShopOrder } from "../orders.ts";

interface OrderProps {
  site: Site;
  order: ShopOrder;
  now: Date;
  problem?: string | undefined;
}

/** How soon the page asks for news: by its script in milliseconds, without scripts in seconds. */
const PATIENT = { askMs: 3000, reloadSeconds: 10 };
/** The payment's code is recorded a moment after the order. */
const EAGER = { askMs: 600, reloadSeconds: 2 };
/** Parcels take days. */
const SLOW = { askMs: 20_000, reloadSeconds: 120 };

/** Null: nothing more is expected to happen to it. */
function paceOf(order: ShopOrder): typeof PATIENT | null {
  switch (order.status) {
    case "pending":
      return hasCode(order) ? PATIENT : EAGER;
    case "paid":
      return PATIENT;
    case "processing":
    case "shipped":
      return SLOW;
    default:
      return null;
  }
}

/** One order: how to pay it while it waits, then where it is. */
export const OrderPage = ({ site, order, now, problem }: OrderProps) => {
  const waiting = order.status === "pending";
  const pace = paceOf(order);
  return (
    <Layout
      site={site}
      head={{
        title: `${waiting ? "Bayar pesanan" : "Pesanan"} ${order.number} | ${site.store.name}`,
        ...(pace ? { reloadSeconds: pace.reloadSeconds } : {}),
      }}
    >
      <div class="wide">
        <div class="heading">
          <h1>{waiting ? "Selesaikan pembayaran" : `Pesanan ${order.number}`}</h1>
          <p>
            <StatusBadge status={order.status} /> <span>{dateTime(order.created_at)}</span>
          </p>
        </div>
        {problem ? <Notice kind="problem">{problem}</Notice> : null}
        <div
          class="columns"
          {...(pace
            ? {
                "data-watch": `/pesanan/${order.id}/status`,
                "data-key": order.key,
                "data-ask": String(pace.askMs),
              }
            : {})}
        >
          <div>{waiting ? <Payment order={order} now={now} /> : <Progress order={order} />}</div>
          <Details order={order} />
        </div>
      </div>
    </Layout>
  );
};

const hasCode = ({ payment }: ShopOrder): boolean =>
  [payment.qr_code, payment.qr_image_url, payment.payment_url].some((way) => way !== null);

const Payment = ({ order, now }: { order: ShopOrder; now: Date }) => {
  const { payment } = order;
  const left = Math.floor((Date.parse(payment.expires_at) - now.getTime()) / 1000);
  const link = webUrl(payment.payment_url);
  if (left <= 0) {
    return (
      <Part>
        <p>
          Waktu pembayaran sudah habis. Jika Anda sudah membayar, tunggu sebentar: halaman ini
          berubah sendiri begitu pembayaran kami terima.
        </p>
        <p class="waiting" role="status">
          Memeriksa pembayaran
        </p>
      </Part>
    );
  }
  return (
    <Part>
      <p class="muted">Total pembayaran</p>
      <p class="sum">{rupiah(order.total_amount)}</p>
      <p>
        Bayar dalam{" "}
        <span class="clock" data-left={String(left)}>
          {Math.ceil(left / 60)} menit
        </span>
      </p>
      <p class="hint">sebelum {dateTime(payment.expires_at)}</p>
      <Code payment={payment} number={order.number} />
      {link ? (
        <a class={payment.qr_code ? "button button-quiet" : "button"} href={link} rel="noreferrer">
          {payment.qr_code ? "Bayar dengan cara lain" : "Buka halaman pembayaran"}
        </a>
      ) : null}
      <p>
        <span class="waiting" role="status">
          Menunggu pembayaran
        </span>
      </p>
      {payment.qr_code || payment.qr_image_url ? (
        <ol class="how">
          <li>Buka aplikasi bank atau dompet digital, pilih bayar dengan QRIS.</li>
          <li>Pindai kode ini, atau simpan gambarnya dan unggah dari galeri.</li>
          <li>Periksa jumlahnya, lalu bayar. Halaman ini berubah sendiri setelah lunas.</li>
        </ol>
      ) : null}
      <details class="give-up">
        <summary>Batalkan pesanan</summary>
        <form action={`/pesanan/${order.id}/batal`} method="post">
          <p class="hint">Jangan membayar lagi sesudahnya; uang yang tetap masuk dikembalikan.</p>
          <button class="button button-quiet" type="submit">
            Ya, batalkan
          </button>
        </form>
      </details>
    </Part>
  );
};

const Part = ({ children }: { children: Child }) => (
  <section class="panel pay" aria-label="Pembayaran">
    {children}
  </section>
);

const Code = ({ payment, number }: { payment: ShopOrder["payment"]; number: string }) => {
  const image = webUrl(payment.qr_image_url);
  if (payment.qr_code) {
    return (
      <>
        <div class="qr">
          <QrCode text={payment.qr_code} label="Kode QRIS untuk pembayaran ini" />
        </div>
        <p>
          <button class="link" type="button" data-keep={`qris-${number}.png`} data-script hidden>
            Simpan gambar kode
          </button>
        </p>
      </>
    );
  }
  if (image) {
    return (
      <div class="qr">
        <img src={image} alt="Kode QRIS untuk pembayaran ini" width={276} height={276} />
      </div>
    );
  }
  return webUrl(payment.payment_url) ? null : (
    <p class="notice notice-plain">
      Kode pembayaran sedang disiapkan. Halaman ini akan memuatnya sendiri.
    </p>
  );
};

const Progress = ({ order }: { order: ShopOrder }) => {
  const { status, shipments } = order;
  const over = status === "cancelled" || status === "refunded";
  return (
    <section class="panel stack" aria-labelledby="perjalanan">
      <h2 id="perjalanan">{over ? "Pesanan ini sudah ditutup" : "Perjalanan pesanan"}</h2>
      {over ? <p class="muted">{order.closed_reason}</p> : <Journey status={status} />}
      {over && order.payment.state === "pending" ? (
        <p>
          Jangan lagi membayar kode atau halaman pembayaran pesanan ini. Uang yang tetap masuk kami
          kembalikan dengan sendirinya.
        </p>
      ) : null}
      {shipments?.tracking_code ? (
        <p class="tracking">
          <span>
            Resi {courierWords(order.courier.courier_name, order.courier.courier_service_name)}
          </span>
          <code>{shipments.tracking_code}</code>
          <button class="link" type="button" data-copy={shipments.tracking_code} data-script hidden>
            Salin
          </button>
        </p>
      ) : null}
      {order.may_be_received ? (
        <form action={`/pesanan/${order.id}/diterima`} method="post">
          <button class="button" type="submit">
            Pesanan sudah saya terima
          </button>
          <p class="hint">Tekan setelah paket di tangan Anda; dana lalu diteruskan ke penjual.</p>
        </form>
      ) : null}
      <ol class="timeline">
        {order.timeline.map((event) => (
          <li>
            {event.description}
            <time datetime={event.occurred_at}>{dateTime(event.occurred_at)}</time>
          </li>
        ))}
      </ol>
      {over ? (
        <a class="button" href="/">
          Belanja lagi
        </a>
      ) : null}
    </section>
  );
};

const Details = ({ order }: { order: ShopOrder }) => {
  const { shipping_address: to, courier } = order;
  const place = [to.city, to.province, to.postal_code].filter(Boolean).join(", ");
  return (
    <aside class="panel side" aria-labelledby="rincian">
      <h2 id="rincian">Rincian</h2>
      <SmallLines lines={order.order_items} />
      <Sums
        subtotal={order.subtotal_amount}
        discount={order.discount_amount}
        shipping={order.shipping_amount}
      />
      <dl class="specs">
        <dt>Nomor</dt>
        <dd>{order.number}</dd>
        <dt>Kurir</dt>
        <dd>{courierWords(courier.courier_name, courier.courier_service_name)}</dd>
        <dt>Kepada</dt>
        <dd>
          {to.name}, {to.phone}
          <br />
          {to.street}
          {place ? `, ${place}` : ""}
        </dd>
      </dl>
      <a href="/pesanan">Semua pesanan saya</a>
    </aside>
  );
};
