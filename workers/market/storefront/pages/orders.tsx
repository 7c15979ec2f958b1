import type { BuyerOrder } from "../../schemas/orders.ts";
import { Layout, type Site } from "../components/layout.tsx";
import { Empty } from "../components/notice.tsx";
import { StatusBadge } from "../components/order-status.tsx";
import { Pager } from "../components/pager.tsx";
import { dateTime, rupiah } from "../format.ts";

interface OrdersProps {
  site: Site;
  orders: BuyerOrder[];
  page: number;
  pages: number;
}

/** The visitor's orders at this store. */
export const OrdersPage = ({ site, orders, page, pages }: OrdersProps) => (
  <Layout site={site} head={{ title: `Pesanan saya | ${site.store.name}` }}>
    <div class="wide">
      <div class="heading row">
        <h1>Pesanan saya</h1>
        <a href="/keluar">Keluar</a>
      </div>
      {orders.length === 0 ? (
        <Empty title="Belum ada pesanan" href="/" action="Mulai belanja">
          Pesanan Anda di {site.store.name} akan tampil di sini.
        </Empty>
      ) : (
        <ul class="orders">
          {orders.map((order) => (
            <li>
              <OrderRow order={order} />
            </li>
          ))}
        </ul>
      )}
      <Pager page={page} pages={pages} href={(number) => `/pesanan?halaman=${number}`} />
    </div>
  </Layout>
);

const OrderRow = ({ order }: { order: BuyerOrder }) => {
  const [first, ...others] = order.order_items;
  return (
    <a class="panel" href={`/pesanan/${order.id}`}>
      <span class="row">
        <strong>{order.number}</strong>
        <StatusBadge status={order.status} />
      </span>
      <span>
        {first?.name}
        {others.length > 0 ? ` dan ${others.length} produk lain` : ""}
      </span>
      <span class="row">
        <span class="muted small">{dateTime(order.created_at)}</span>
        <span class="amount">{rupiah(order.total_amount)}</span>
      </span>
    </a>
  );
};
