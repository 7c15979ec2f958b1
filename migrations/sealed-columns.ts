/** One place where sealed text is stored (shared/crypto/seal.ts), for `npm run rotate-keys`. */
export interface SealedColumn {
  table: string;
  column: string;
  /** SQL of what each sealed text belongs to: the same words that the domain seals with. */
  owner: string;
  /** The primary key that rows are gone through by. */
  key: string;
  keyType?: "uuid" | "bigint";
  /** Where the column is JSON, or text that is JSON: the field that is sealed. */
  field?: { name: string; type: "jsonb" | "text" };
  /** Which rows are meant, where not all of the table are. */
  only?: string;
}

/**
 * Every sealed column of all domains. A test compares this list with the columns of the database that are named
 * `sealed_…` or `…_enc`; whoever seals under another name adds it here.
 */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: "hosting_servers", column: "sealed_key", key: "id", owner: "'hosting-server/' || id" },
  {
    table: "hosting_websites",
    column: "sealed_ftp_password",
    key: "id",
    owner: "'hosting-website/' || id || '/ftp'",
  },
  {
    table: "hosting_websites",
    column: "sealed_database_password",
    key: "id",
    owner: "'hosting-website/' || id || '/database'",
  },
  {
    table: "live_agencies",
    column: "sealed_id_number",
    key: "id",
    keyType: "bigint",
    owner: "'live/ktp/' || user_id",
  },
  {
    table: "live_host_applications",
    column: "sealed_id_number",
    key: "id",
    keyType: "bigint",
    owner: "'live/ktp/' || host_id",
  },
  {
    table: "market_connections",
    column: "access_token_enc",
    key: "id",
    owner: "'market-connection/' || id || '/access'",
  },
  {
    table: "market_connections",
    column: "refresh_token_enc",
    key: "id",
    owner: "'market-connection/' || id || '/refresh'",
  },
  {
    table: "market_instagram_accounts",
    column: "access_token_enc",
    key: "id",
    owner: "'market-instagram/' || id || '/access'",
  },
  {
    table: "market_bank_accounts",
    column: "sealed_number",
    key: "seller_id",
    keyType: "bigint",
    owner: "'market-bank/' || seller_id",
  },
  {
    table: "market_payouts",
    column: "sealed_number",
    key: "id",
    owner: "'market-bank/' || seller_id",
  },
  {
    table: "market_tax_statements",
    column: "sealed_tax_id",
    key: "id",
    owner: "'market-tax/' || seller_id || '/' || year",
  },
  { table: "panel_jobs", column: "sealed_input", key: "job_id", owner: "'panel-job/' || id" },
  { table: "topup_orders", column: "sealed_serial", key: "id", owner: "'topup-order/' || id" },
  {
    table: "topup_webhook_endpoints",
    column: "secret",
    key: "id",
    owner: "'topup-endpoint/' || id",
  },
  {
    table: "topup_webhook_endpoints",
    column: "old_secret",
    key: "id",
    owner: "'topup-endpoint/' || id",
  },
  {
    table: "topup_hand_requests",
    column: "input",
    field: { name: "serial", type: "jsonb" },
    key: "id",
    owner: "'topup-hand/' || order_id",
  },
  {
    table: "inbox_events",
    column: "body",
    field: { name: "original", type: "text" },
    key: "id",
    owner:
      "case provider when 'vip-reseller-refused' then 'topup-callback-refused' else 'topup-callback' end",
    only: "provider in ('vip-reseller', 'vip-reseller-refused')",
  },
  {
    table: "inbox_events",
    column: "body",
    field: { name: "target", type: "text" },
    key: "id",
    owner: "'topup-callback'",
    only: "provider = 'vip-reseller'",
  },
  {
    table: "inbox_events",
    column: "body",
    field: { name: "key", type: "text" },
    key: "id",
    owner: "'topup-callback-refused'",
    only: "provider = 'vip-reseller-refused'",
  },
];
