/**
 * What the mails are shown with: every fact that any template asks for, under its one name. Invented people and sums.
 */
const AT = "2026-12-05T03:00:00.000Z";

export const SAMPLE = {
  name: "Ratna Dewi",
  email: "ratna@contoh.example",
  // Hosting
  order_id: "0193a2c4-7b1e-7c55-9d1f-2f6f3a9b1c10",
  plan_name: "Business",
  domain: "kopi-kelud.web.id",
  amount: 30_000,
  previous_amount: 30_000,
  duration: 1,
  days_left: 3,
  end_date: AT,
  suspends_at: "2026-12-08T03:00:00.000Z",
  delete_at: "2027-01-07T03:00:00.000Z",
  auto_renew: true,
  payment_url: "http://localhost:8787/api/orders/contoh/pay?key=contoh",
  invoice_number: "INV/2026/000042",
  reason: "Waktu pembayaran habis.",
  ftp_host: "ftp.contoh.example",
  ftp_username: "kopikelud",
  // Payments
  payment: "TB-CONTOH-Q",
  to: "refunded",
  // Market
  number: "TB-20261205-0042",
  store_name: "Kopi Kelud",
  store_slug: "kopi-kelud",
  subtotal_amount: 85_000,
  discount_amount: 5_000,
  shipping_amount: 12_000,
  total_amount: 92_000,
  seller_amount: 76_000,
  courier: "JNE REG",
  tracking_code: "JP1234567890",
  recipient: { name: "Budi", phone: "081234567890", street: "Jl. Merdeka 12, Blitar" },
  items: [{ name: "Kopi robusta 250 g", quantity: 2, subtotal: 85_000 }],
  bank: "bca",
  last4: "4321",
  reference: "TRF-20261205-01",
  paid_to: "wallet",
  closed: true,
  commission_amount: 4_250,
  // Marketplaces
  platform: "shopee",
  shop_name: "Kopi Kelud Official",
  ends_at: AT,
  lines: [{ name: "Kopi robusta 250 g", quantity: 3, short: 1 }],
  caption: "Kopi robusta panen baru dari lereng Kelud #kopi",
  // Top-up
  services: [{ id: "TSEL10", name: "Telkomsel 10.000", stock: 2, minStock: 10 }],
  url: "https://reseller.contoh.example/webhook",
  since: AT,
  // Alerts
  what: "Pekerjaan gagal: hosting.create-site",
  facts: { id: "contoh", percobaan: 20 },
  // Panel
  server: "web-1",
  kind: "service",
  subject: "nginx",
  state: "open",
  opened_at: AT,
  closed_at: null,
};

/** Faces that a template has beside the usual one. */
export const VARIANTS: Record<string, Record<string, object>> = {
  hosting_renewal_reminder: {
    "1 hari": { days_left: 1 },
    "hari terakhir": { days_left: 0 },
    "harga berubah": { amount: 35_000 },
    "tanpa perpanjangan otomatis": { auto_renew: false, payment_url: null },
    "belum ada website": { domain: null },
  },
  hosting_deletion_warning: { "tanpa tagihan": { payment_url: null } },
  hosting_suspended: { "tanpa tagihan": { payment_url: null, auto_renew: false } },
  panel_incident: {
    pulih: { state: "closed", closed_at: "2026-12-05T03:04:00.000Z" },
    disk: { kind: "disk", subject: "/" },
    sertifikat: { kind: "certificate", subject: "kopi-kelud.web.id" },
    cadangan: { kind: "backup", subject: "database kopi" },
    "agen tidak terdengar": { kind: "silent", subject: "" },
  },
  payment_refunded: { "ke saldo": { to: "credited" } },
};
