import { formatRupiah } from "../../../shared/money/format.ts";
import { formatJakarta, formatJakartaDay } from "../../../shared/time/jakarta.ts";
import type { Invoice } from "../invoices.ts";
import { Document } from "./document.tsx";

const day = (iso: string) => formatJakartaDay(new Date(iso));

/** An invoice for printing, or for saving as PDF from the browser. */
export const InvoicePage = ({ invoice }: { invoice: Invoice }) => (
  <Document title={`Invoice ${invoice.number}`}>
    <Heading invoice={invoice} />
    <Facts invoice={invoice} />
    <Lines lines={invoice.lines} />
    <Sums invoice={invoice} />
    <footer>
      <p>
        Dibayar {formatJakarta(new Date(invoice.paidAt))}
        {invoice.payment.reference && ` · Pembayaran ${invoice.payment.reference}`}
        {invoice.payment.transactionId && ` · Transaksi ${invoice.payment.transactionId}`}
      </p>
      <p>Invoice ini dibuat otomatis dan sah tanpa tanda tangan.</p>
    </footer>
  </Document>
);

const Heading = ({ invoice: { seller, number } }: { invoice: Invoice }) => (
  <div class="top">
    <div>
      <p class="seller">{seller.name}</p>
      {seller.address && <p class="quiet">{seller.address}</p>}
      {seller.taxId && <p class="quiet">NPWP {seller.taxId}</p>}
    </div>
    <div class="right">
      <h1>Invoice</h1>
      <p class="quiet">{number}</p>
      <span class="paid">LUNAS</span>
    </div>
  </div>
);

const Facts = ({ invoice: { buyer, issuedAt, orderId } }: { invoice: Invoice }) => (
  <div class="facts">
    <div>
      <h2>Untuk</h2>
      <p>{buyer.name}</p>
      {buyer.email && <p class="quiet">{buyer.email}</p>}
      {buyer.phone && <p class="quiet">{buyer.phone}</p>}
    </div>
    <div class="right">
      <h2>Tanggal</h2>
      <p>{day(issuedAt)}</p>
      <p class="quiet">Order {orderId}</p>
    </div>
  </div>
);

const Lines = ({ lines }: { lines: Invoice["lines"] }) => (
  <table class="lines">
    <thead>
      <tr>
        <th>Uraian</th>
        <th>Bulan</th>
        <th>Harga</th>
        <th>Jumlah</th>
      </tr>
    </thead>
    <tbody>
      {lines.map((line) => (
        <tr>
          <td>
            <p>{line.description}</p>
            <p class="quiet">
              {day(line.periodStart)} – {day(line.periodEnd)}
              <span class="each">
                {" "}
                · {line.quantity} bulan × {formatRupiah(line.unitPrice)}
              </span>
            </p>
          </td>
          <td class="unit">{line.quantity}</td>
          <td class="unit">{formatRupiah(line.unitPrice)}</td>
          <td>{formatRupiah(line.amount)}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

const Sums = ({ invoice: { net, ppnPercent, ppn, total } }: { invoice: Invoice }) => (
  <table class="sums">
    <tbody>
      {ppnPercent > 0 && (
        <>
          <tr>
            <td>Dasar pengenaan pajak</td>
            <td>{formatRupiah(net)}</td>
          </tr>
          <tr>
            <td>PPN {ppnPercent}% (termasuk)</td>
            <td>{formatRupiah(ppn)}</td>
          </tr>
        </>
      )}
      <tr>
        <td>Total</td>
        <td>{formatRupiah(total)}</td>
      </tr>
    </tbody>
  </table>
);
